"""The colours of badges. A module file's options know the same ones."""

TONES = ("gray", "red", "orange", "amber", "yellow", "green", "teal", "blue", "indigo", "purple", "pink")
NEUTRAL = "gray"
