"""A mail server on a real port that keeps what it is sent, or refuses it."""

from __future__ import annotations

import socket
import threading


class MailServer:
    """SMTP on loopback: keeps the messages, refuses with `refusal` where one is given."""

    def __init__(self, refusal: str | None = None) -> None:
        self.messages: list[bytes] = []
        self.refusal = refusal
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                self._talk(lines)

    def _talk(self, lines: object) -> None:
        stream: socket.SocketIO = lines  # pyright: ignore[reportAssignmentType]

        def answer(text: str) -> None:
            stream.write(f"{text}\r\n".encode())
            stream.flush()

        answer("220 here")
        while line := stream.readline():
            word = line[:4].upper()
            if word == b"DATA":
                answer("354 go on")
                content = b""
                while not content.endswith(b"\r\n.\r\n"):
                    content += stream.readline()
                self.messages.append(content[:-5])
                answer("250 kept")
            elif word == b"QUIT":
                answer("221 bye")
                return
            elif word == b"RCPT" and self.refusal:
                answer(self.refusal)
            else:
                answer("250 ok")

    def close(self) -> None:
        self._socket.close()
