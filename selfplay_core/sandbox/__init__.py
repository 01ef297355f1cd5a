"""The embedded default: a scripted model and a small world on loopback, for trying, testing and demos.

embedded.py       both servers in a process
  ollama_server.py  before the model
  rcon_server.py    before the world
script/           the model: what it asks, answers, gets wrong and mends
world/            what commands do, and what the server replies
parser/           whether a command would be taken, and the complaint if not
facts/            ids, block states, tags and schemas of the game; rules of a server of one's own
usages.py         the commands of the grammar, for the coverage of a curriculum
"""
