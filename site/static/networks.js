// The shipped networks, run by onnxruntime-web: one thread, WebAssembly.
import { fetched } from "./kernel.js";

/**
 * Loads the runtime and the networks of all learners.
 *
 * @param folder where the files lie, with a slash at its end.
 * @param learners their names.
 * @param sizes the bytes of each file.
 * @param working hears how much is there, 0 … 1.
 */
export async function load(folder, learners, sizes, working) {
  const whole = Object.values(sizes).reduce((sum, one) => sum + one);
  let done = 0;
  const bytes = async (name, through) => {
    const { body } = await fetched(folder + name);
    const counted = body.pipeThrough(
      new TransformStream({
        transform(chunk, to) {
          done += chunk.length;
          working(Math.min(0.99, done / whole)); // then it has to be made ready
          to.enqueue(chunk);
        },
      }),
    );
    const read = through ? counted.pipeThrough(through) : counted;
    return new Uint8Array(await new Response(read).arrayBuffer());
  };
  working(0.01);
  const [ort, wasm] = await Promise.all([
    import(`${folder}runtime.js`),
    bytes("runtime.bin", new DecompressionStream("gzip")),
  ]);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm.buffer;
  const networks = new Map();
  for (const name of learners) {
    const [embed, compare] = await Promise.all(
      ["embed", "compare"].map((part) => bytes(`${name}-${part}.onnx`)),
    );
    networks.set(name, new Network(ort, await session(ort, embed), await session(ort, compare)));
  }
  return networks;
}

const session = (ort, model) =>
  ort.InferenceSession.create(model, { executionProviders: ["wasm"] });

class Network {
  constructor(ort, embedding, comparison) {
    Object.assign(this, { ort, embedding, comparison });
  }

  /** The point of an image of `size` × `size` pixels. */
  async embed(image, size) {
    const given = { image: new this.ort.Tensor("float32", image, [1, size, size]) };
    const { point } = await this.embedding.run(given);
    return point.data;
  }

  /** A logit for each of the prototypes. */
  async compare(point, prototypes) {
    const all = new Float32Array(prototypes.length * point.length);
    for (const [at, one] of prototypes.entries()) all.set(one, at * point.length);
    const tensor = (data, rows) => new this.ort.Tensor("float32", data, [rows, point.length]);
    const given = { point: tensor(point, 1), prototypes: tensor(all, prototypes.length) };
    const { logits } = await this.comparison.run(given);
    return [...logits.data];
  }
}
