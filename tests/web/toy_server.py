"""The small world behind a real socket, in a process of its own: `python -m tests.web.toy_server`."""

from dataclasses import replace

from tests.web.toy import Happened, ToyDatabase, ToyRegistry, make_live, make_schema
from web.serve import serve
from web.settings import load_settings

if __name__ == "__main__":
    settings = replace(load_settings(), watch="off")
    serve(settings, make_live(settings, ToyRegistry(make_schema(Happened())), ToyDatabase()))
