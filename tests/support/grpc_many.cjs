// Calls of gRPC over one connection: reads {"address", "calls": [[method, metadata]]} from standard input, sends an empty message to each
// method, and writes the headers and trailers of their answers, in the same order.
const http2 = require("http2");
const fs = require("fs");

const AT_ONCE = 20;
const EMPTY_MESSAGE = Buffer.alloc(5);
const { address, calls } = JSON.parse(fs.readFileSync(0, "utf8"));
const answers = new Array(calls.length);
const session = http2.connect(`http://${address}`);

function send(index) {
  const [method, metadata] = calls[index];
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...metadata, ":method": "POST", ":path": `/${method}`, "content-type": "application/grpc", te: "trailers" });
    const heard = {};
    stream.on("response", (headers) => Object.assign(heard, headers));
    stream.on("trailers", (trailers) => Object.assign(heard, trailers));
    stream.on("end", () => resolve((answers[index] = heard)));
    stream.on("error", reject);
    stream.resume();
    stream.end(EMPTY_MESSAGE);
  });
}

async function work() {
  while (next < calls.length) await send(next++);
}

let next = 0;
session.on("error", (error) => fail(error));
function fail(error) {
  console.error(String(error));
  process.exit(1);
}
Promise.all(Array.from({ length: AT_ONCE }, work)).then(() => {
  session.close();
  process.stdout.write(JSON.stringify(answers));
}, fail);
