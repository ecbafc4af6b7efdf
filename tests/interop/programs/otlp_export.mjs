// Exports spans by OpenTelemetry's exporter for Node. Arguments: the endpoint, a key, how many batches, how many spans in each.
// Prints as JSON which batches the exporter reported as failed. Spans are named by their batch and their number in it.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

const [url, key, batches, size] = process.argv.slice(2);
const exporter = new OTLPTraceExporter({ url, headers: { "x-api-key": key } });
const made = new InMemorySpanExporter();
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(made)] }).getTracer("fairgate");
const failed = [];
for (let batch = 0; batch < Number(batches); batch += 1) {
  for (let number = 0; number < Number(size); number += 1) tracer.startSpan(`${batch}-${number}`).end();
  const result = await new Promise((resolve) => exporter.export(made.getFinishedSpans(), resolve));
  if (result.code !== 0) failed.push(batch);
  made.reset();
}
await exporter.shutdown();
console.log(JSON.stringify({ failed }));
