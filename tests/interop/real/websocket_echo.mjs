// An echo of the package ws: `node websocket_echo.mjs HOST PORT`.
import { WebSocketServer } from "ws";

const [host, port] = process.argv.slice(2);
const server = new WebSocketServer({ host, port: Number(port), perMessageDeflate: true, maxPayload: 2 ** 25 });
server.on("connection", (connection) => {
  connection.on("error", () => {}); // faults of clients are ignored
  connection.on("message", (message, isBinary) => connection.send(message, { binary: isBinary }));
});
