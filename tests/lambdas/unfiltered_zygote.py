"""A zygote on a host without libseccomp. Only tests start it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
sys.modules.update(pyseccomp=None)  # type: ignore[call-overload] # importing it fails

from lambdas import zygote  # noqa: E402 - the path comes first

if __name__ == "__main__":
    zygote.main()
