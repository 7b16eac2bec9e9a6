"""The command `check`: `command` sends the requests, `rules` judges what came back, `formats` writes the report."""
