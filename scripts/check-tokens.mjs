// Generates greedily with llama.cpp, by way of node-llama-cpp: prints the ids behind a prompt.
// node check-tokens.mjs NODE_MODULES MODEL ADAPTER COUNT ID…; ADAPTER may be empty.
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [modules, modelPath, lora, count, ...prompt] = process.argv.slice(2);
const entry = createRequire(modules + "/").resolve("node-llama-cpp");
const {getLlama} = await import(pathToFileURL(entry).href);
const llama = await getLlama({
    gpu: false, build: "never", progressLogs: false, maxThreads: 1, logger: () => {}
});
const model = await llama.loadModel({modelPath});
const context = await model.createContext({
    contextSize: prompt.length + Number(count) + 1, ...(lora === "" ? {} : {lora})
});
const sequence = context.getSequence();
const ids = [];
for await (const id of sequence.evaluate(prompt.map(Number), {temperature: 0})) {
    ids.push(id);
    if (ids.length === Number(count)) break;
}
console.log(JSON.stringify(ids));
process.exit(0);
