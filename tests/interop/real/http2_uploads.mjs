// Uploads by Node's own HTTP/2 that are refused before they are read, one after the other on one session, and then a request
// that is not. Arguments: the gateway's URL, a key, how many uploads, how many bytes each. Prints the responses, as JSON.
import http2 from "node:http2";

const [url, key, count, bytes] = process.argv.slice(2);
const body = Buffer.alloc(Number(bytes), "x");
const session = http2.connect(url, { rejectUnauthorized: false });
const failed = (error) => {
  console.error(error);
  process.exit(1);
};
session.on("error", failed);
session.on("goaway", (code) => failed(`GOAWAY with ${code}`));

function ask(headers, content) {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers);
    const answer = { status: 0, body: "" };
    stream.setEncoding("utf8");
    stream.on("response", (fields) => (answer.status = fields[":status"]));
    stream.on("data", (text) => (answer.body += text));
    stream.on("end", () => resolve(answer));
    stream.on("error", reject);
    if (content) stream.write(content);
    else stream.end();
  });
}

const statuses = {};
for (let n = 0; n < Number(count); n += 1) {
  const answer = await ask({ ":method": "POST", ":path": "/post", "content-type": "text/plain" }, body);
  JSON.parse(answer.body);
  statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
}
const last = await ask({ ":path": "/get", "x-api-key": key });
console.log(JSON.stringify({ statuses, last: last.status }));
session.destroy();
