#!/usr/bin/env bash
# Java's HttpURLConnection gives a program no body for a 401 once it streams its own (setFixedLengthStreamingMode or
# setChunkedStreamingMode, as uploads do): getErrorStream() is null, though the server said why. A 400, 403 or 429 can
# be read, and so can the 401 of a buffered request. So an API that explains a missing permission by a 401 is not heard
# by such uploads; by a 403 it is. Needs Java 11 or later. Exits with 1 once it does otherwise.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > Upload.java << 'END'
import java.net.*;
import java.nio.charset.StandardCharsets;

public class Upload {
    public static void main(String[] arguments) throws Exception {
        for (String mode : new String[] {"buffered", "fixed length", "chunked"}) {
            for (int status : new int[] {400, 401, 403, 429}) {
                var connection = (HttpURLConnection) new URL(arguments[0] + status).openConnection();
                connection.setRequestMethod("POST");
                connection.setDoOutput(true);
                if (mode.equals("fixed length")) connection.setFixedLengthStreamingMode(7);
                if (mode.equals("chunked")) connection.setChunkedStreamingMode(0);
                try (var body = connection.getOutputStream()) {
                    body.write("seven7!".getBytes(StandardCharsets.US_ASCII));
                }
                int received = connection.getResponseCode();
                var error = connection.getErrorStream();
                String text = error == null ? "null" : new String(error.readAllBytes(), StandardCharsets.US_ASCII);
                System.out.println(mode + ": status " + received + ", error stream: " + text);
            }
        }
        System.exit(0);
    }
}
END
cat > server.py << 'END'
import subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if "Content-Length" in self.headers:
            self.rfile.read(int(self.headers["Content-Length"]))
        else:
            while (size := int(self.rfile.readline(), 16)) > 0:
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.send_response(int(self.path[1:]))
        if self.path == "/401":
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Length", "18")
        self.end_headers()
        self.wfile.write(b'{"error":"reason"}')

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
Thread(target=server.serve_forever, daemon=True).start()
output = subprocess.run(["java", "Upload.java", f"http://127.0.0.1:{server.server_port}/"],
    stdout=subprocess.PIPE, text=True, check=True).stdout
print(output, end="")
silent = [line.rpartition(",")[0] for line in output.splitlines() if line.endswith("null")]
as_found = silent == ["fixed length: status 401", "chunked: status 401"] and output.count("reason") == 10
sys.exit(0 if as_found else "the behaviour has changed")
END
echo "Java $(java --version | sed -n '1s/[^ ]* //p')"
timeout 60 python3 server.py
