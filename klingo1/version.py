"""The version, in one place: the wheel, the page, the metadata of every clip and the changelog read it."""

VERSION = "0.1.0"
