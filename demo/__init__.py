"""A small press of three outlets that do not exist, to crawl on loopback: `make demo` plays it, the tests use it.

press.py      the outlets and their stories as data, the rounds, and the truth of what was edited
pages.py      a story as its outlet prints it: articles, front pages, feeds (pure)
newsroom.py   the server, with faults on request and a list of every request
__main__.py   the demonstration: four rounds, each crawled by the real `redline` and held against the truth
outlets/      one folder per outlet: outlet.toml, templates, and a file for each story with its revisions
"""
