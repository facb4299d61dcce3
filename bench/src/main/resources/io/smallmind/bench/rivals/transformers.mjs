// Runs ONNX models through Transformers.js. One JSON object per line in, one per line out; see
// LineProcess.
import {createInterface} from "node:readline";
import {readFileSync, writeFileSync} from "node:fs";
import {basename, dirname} from "node:path";
import {AutoModel, AutoModelForCausalLM, Tensor, env} from "@huggingface/transformers";

const SAMPLE_NANOS = 10_000;

console.log = console.info = console.warn = console.error; // Only answers go to standard output.
env.allowRemoteModels = false;

function open(kind, folder, subfolder, threads) {
    env.localModelPath = dirname(folder) + "/";
    return kind.from_pretrained(basename(folder), {
        dtype: "fp32", subfolder, device: "cpu", // fp32 names the file, whatever is in it.
        session_options: {intraOpNumThreads: threads, interOpNumThreads: 1}
    });
}

function floats(file) {
    const bytes = readFileSync(file);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

// Products: a model for each copy of the weights.
let products, input, turn = 0;

async function prepare(request) {
    products = [];
    for (let i = 0; i < request.copies; i++) {
        products.push(await open(AutoModel, dirname(request.model), "", request.threads));
    }
    input = {a: new Tensor("float32", floats(request.a).slice(), [request.m, request.k])};
    return {};
}

async function estimate() {
    return {nanos: 0};
}

async function multiply({y}) {
    const result = await products.at(-1)(input);
    writeFileSync(y, new Uint8Array(Float32Array.from(result.y.data).buffer));
    return {};
}

async function call() {
    const result = await products[turn](input);
    result.y.dispose();
    turn = (turn + 1) % products.length;
}

const now = () => Number(process.hrtime.bigint());

async function run(nanos, batch, sample) {
    const begin = now();
    let end = begin;
    do {
        const before = end;
        for (let i = 0; i < batch; i++) await call();
        end = now();
        sample((end - before) / batch);
    } while (end - begin < nanos);
}

async function time({warmUpNanos, sliceNanos}) {
    if (warmUpNanos > 0) await run(warmUpNanos, 1, () => {});
    const before = now();
    await call();
    const batch = Math.max(1, Math.floor(SAMPLE_NANOS / (now() - before)));
    const nanos = [];
    await run(sliceNanos, batch, (one) => nanos.push(one));
    return {nanos};
}

// A model: keys and values are those of the last pass.
let model, batchRows, held = 0, past = null;

async function load(request) {
    if (request.sessions > 1) throw new Error("it runs one session at a time");
    batchRows = request.batchRows;
    model = await open(AutoModelForCausalLM, request.model, "onnx", request.threads);
    return {};
}

const integers = (values) =>
    new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);

async function pass(tokens, position) {
    if (position === 0) {
        past = null;
    } else if (position < held) {
        const parts = {};
        for (const [name, tensor] of Object.entries(past)) {
            parts[name] = tensor.slice(null, null, [0, position]);
        }
        past = parts;
    }
    const total = position + tokens.length;
    const result = await model({
        input_ids: integers(tokens), attention_mask: integers(new Array(total).fill(1)),
        past_key_values: past
    });
    past = {};
    for (const [name, tensor] of Object.entries(result)) {
        if (name.startsWith("present")) past[name.replace("present", "past_key_values")] = tensor;
    }
    held = total;
    return result.logits;
}

async function read(tokens, position) {
    let logits;
    for (let begin = 0; begin < tokens.length; begin += batchRows) {
        logits = await pass(tokens.slice(begin, begin + batchRows), position + begin);
    }
    return logits;
}

async function fill(depth) {
    if (held < depth) {
        const filler = Array.from({length: depth - held}, (_, i) => (i * 7919 + 13) % 251);
        await read(filler, held);
    }
}

async function prefill({tokens, depth}) {
    await fill(depth);
    const begin = now();
    await read(tokens, depth);
    return {nanos: [now() - begin]};
}

async function decode({tokens, depth}) {
    await fill(depth);
    const nanos = [];
    for (let i = 0; i < tokens.length; i++) {
        const begin = now();
        await pass([tokens[i]], depth + i);
        nanos.push(now() - begin);
    }
    return {nanos};
}

async function scores({tokens, count}) {
    const logits = await read(tokens, 0);
    held = 0;
    return {scores: Array.from(logits.data.slice(0, count))};
}

const operations = {
    prepare, estimate, multiply, time, load, prefill, decode, scores
};
for await (const line of createInterface({input: process.stdin})) {
    let answer;
    try {
        const request = JSON.parse(line);
        answer = await operations[request.op](request);
    } catch (error) {
        process.stderr.write(String(error?.stack) + "\n");
        answer = {error: String(error?.message ?? error)};
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
