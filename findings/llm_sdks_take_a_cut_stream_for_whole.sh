#!/usr/bin/env bash
# The SDKs of OpenAI and Anthropic for Python take an event stream that ends cleanly for complete, without the last
# event of its protocol ([DONE], message_stop): half an answer, no exception. Only a connection that breaks off within
# the chunked body is an error. So a gateway whose time-out or shutdown ends a stream must not write the last chunk, nor
# end a body by closing the connection in order (HTTP/1.0). Exits with 1 once they do otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0 anthropic==2.14.0

cat > stream.py << 'END'
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
import anthropic, openai

def event(data):
    return (f"event: {data['type']}\n" if "type" in data else "") + f"data: {json.dumps(data)}\n\n"

OPENAI = event({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"content": "Half an"}, "finish_reason": None}]})
ANTHROPIC = event({"type": "message_start", "message": {"id": "1", "type": "message", "role": "assistant", "content": [],
    "model": "m", "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}}) + event(
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}) + event(
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Half an"}})

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        way = self.path.split("/")[1]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header(*(("Connection", "close") if way == "closed" else ("Transfer-Encoding", "chunked")))
        self.end_headers()
        text = (ANTHROPIC if "messages" in self.path else OPENAI).encode()
        self.wfile.write(text if way == "closed" else b"%x\r\n%s\r\n" % (len(text), text))
        if way == "last-chunk":
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_):
        pass

def of_openai(url):
    client = openai.OpenAI(base_url=url, api_key="key", max_retries=0)
    return "".join(part.choices[0].delta.content for part in client.chat.completions.create(model="m", messages=[], stream=True))

def of_anthropic(url):
    client = anthropic.Anthropic(base_url=url, api_key="key", max_retries=0)
    with client.messages.stream(model="m", messages=[], max_tokens=9) as stream:
        return stream.get_final_message().content[0].text

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
results = {}
for way in ("last-chunk", "closed", "cut"):
    for read in (of_openai, of_anthropic):
        try:
            result = f"returns {read(f'http://127.0.0.1:{server.server_port}/{way}')!r}"
        except Exception as error:
            result = f"raises {type(error).__module__}.{type(error).__name__}"
        results.setdefault(way, set()).add(result.split()[0])
        print(f"{way}: {read.__name__.removeprefix('of_')} {result}")
as_found = results == {"last-chunk": {"returns"}, "closed": {"returns"}, "cut": {"raises"}}
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "openai 3.57.0, anthropic 2.14.0"
timeout 40 venv/bin/python stream.py
