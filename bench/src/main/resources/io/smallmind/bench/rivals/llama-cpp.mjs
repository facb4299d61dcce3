// Runs llama.cpp through the low-level bindings of node-llama-cpp: forward passes and nothing else,
// as llama-bench does. One JSON object per line in, one per line out; see LineProcess.
import {createInterface} from "node:readline";
import {getLlama} from "node-llama-cpp";

let bindings, model, context, setup;

async function load(request) {
    setup = request;
    const llama = await getLlama({
        gpu: false, build: "never", maxThreads: request.threads, progressLogs: false,
        logger: (level, message) => process.stderr.write(message + "\n")
    });
    bindings = llama._bindings;
    const begin = process.hrtime.bigint();
    model = new bindings.AddonModel(request.model, {
        addonExports: bindings, gpuLayers: 0, useMmap: true
    });
    if (!await model.init()) throw new Error("the model can't be loaded");
    const cacheType = bindings.getGgmlType(request.cacheType);
    context = new bindings.AddonContext(model, {
        // Cells come in blocks of 256 per session.
        contextSize: Math.ceil((request.capacity + 1) / 256) * 256 * request.sessions,
        batchSize: request.batchRows, sequences: request.sessions, flashAttention: true,
        threads: request.threads, kvCacheKeyType: cacheType, kvCacheValueType: cacheType
    });
    if (!await context.init()) throw new Error("no context could be made");
    context.setThreads(request.threads);
    context.initBatch(request.batchRows);
    return {nanos: Number(process.hrtime.bigint() - begin)};
}

// Reads tokens into one session; the scores of the last one are computed.
async function read(session, tokens, position) {
    let index;
    for (let begin = 0; begin < tokens.length; begin += setup.batchRows) {
        const part = tokens.slice(begin, begin + setup.batchRows);
        const last = begin + part.length === tokens.length;
        context.initBatch(part.length);
        index = context.addToBatch(session, position + begin, Uint32Array.from(part),
            Uint32Array.from(last ? [part.length - 1] : []));
        await context.decodeBatch();
    }
    return index;
}

// Leaves exactly so many tokens in every session.
async function rewind(depth) {
    for (let session = 0; session < setup.sessions; session++) {
        const held = context.getSequenceKvCacheMaxPosition(session) + 1;
        if (held > depth) {
            context.removeTokenCellsFromSequence(session, depth, -1);
        } else if (held < depth) {
            const fill = Array.from({length: depth - held}, (_, i) => (i * 7919 + 13) % 251);
            await read(session, fill, held);
        }
    }
}

async function prefill({tokens, depth}) {
    await rewind(depth);
    const begin = process.hrtime.bigint();
    await read(0, tokens, depth);
    return {nanos: [Number(process.hrtime.bigint() - begin)]};
}

async function decode({tokens, depth}) {
    await rewind(depth);
    const nanos = [];
    context.initBatch(setup.sessions);
    const first = Uint32Array.from([0]);
    for (let i = 0; i < tokens.length; i++) {
        const begin = process.hrtime.bigint();
        context.initBatch(setup.sessions);
        for (let session = 0; session < setup.sessions; session++) {
            const token = tokens[(i + session) % tokens.length];
            context.addToBatch(session, depth + i, Uint32Array.from([token]), first);
        }
        await context.decodeBatch();
        nanos.push(Number(process.hrtime.bigint() - begin));
    }
    return {nanos};
}

async function scores({tokens, count}) {
    await rewind(0);
    const index = await read(0, tokens, 0);
    const sampler = new bindings.AddonSampler(model);
    sampler.applyConfig({temperature: 0});
    const wanted = Array.from({length: count}, (_, id) => id);
    const sampled = await context.sampleToken(index[0], sampler, false, false,
        [wanted, false, false, false, 0]);
    const byToken = new Map();
    for (let i = 0; i < sampled[3].length; i += 2) byToken.set(sampled[3][i], sampled[3][i + 1]);
    return {scores: wanted.map((id) => byToken.get(id))};
}

const operations = {load, prefill, decode, scores};
for await (const line of createInterface({input: process.stdin})) {
    let answer;
    try {
        const request = JSON.parse(line);
        answer = await operations[request.op](request);
    } catch (error) {
        answer = {error: String(error?.message ?? error)};
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit(0);
