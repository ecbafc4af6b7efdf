// Posts items by Node's own HTTP/2, one after the other on one session. Arguments: the gateway's URL, the path, a key, the names of
// the items, and "half" if only half of each body is to be sent, without an end.
// Prints as JSON which names failed: no answer, or a status that is not 2xx.
import http2 from "node:http2";

const [url, path, key, names, half] = process.argv.slice(2);
const session = http2.connect(url);
session.on("error", (error) => console.error(error));

function post(name) {
  return new Promise((resolve) => {
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json", "x-api-key": key });
    let status = 0;
    stream.on("response", (fields) => (status = fields[":status"]));
    stream.on("error", () => (status = 0));
    stream.on("close", () => resolve(status >= 200 && status < 300));
    stream.resume();
    const body = JSON.stringify({ name, price: 1 });
    if (half) stream.write(body.slice(0, body.length / 2));
    else stream.end(body);
  });
}

const failed = [];
for (const name of names.split(",")) {
  if (!(await post(name))) failed.push(name);
}
console.log(JSON.stringify({ failed }));
session.destroy();
