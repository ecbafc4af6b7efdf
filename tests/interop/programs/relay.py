"""A TCP relay that breaks an upload: of the first connection it passes so many bytes, and then nothing more."""

import socket
import threading

from server_process import HOST


class Relay:
    """Listens on a port of its own. Later connections pass whole."""

    def __init__(self, port, passed, hangs_up):
        """`passed` bytes of the first connection reach `port`. Then the relay `hangs_up` on the client, or keeps both connections
        open and is silent: the upload is half-open."""
        self._to, self._passed, self._hangs_up = port, passed, hangs_up
        self._listener = socket.create_server((HOST, 0))
        self.authority = f"{HOST}:{self._listener.getsockname()[1]}"
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self):
        left = self._passed
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((HOST, self._to))
            self._open += [client, server]
            threading.Thread(target=self._pass, args=(client, server, left), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, None), daemon=True).start()
            left = None

    def _pass(self, source, target, left):
        try:
            while left is None or left > 0:
                got = source.recv(65536)
                if not got:
                    break
                target.sendall(got if left is None else got[:left])
                left = None if left is None else left - len(got)
            else:
                if not self._hangs_up:
                    return
                source.shutdown(socket.SHUT_RDWR)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
