"""A plugin of pytest, for an application that runs on httpx2: it is loaded before anything can import httpx."""

import httpx2

httpx2.alias_httpx()
