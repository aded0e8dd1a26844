// `node run.mjs WORLD.json`: run all checks on the chain that the file names; print each one's outcome as JSON.
import { readFile } from "node:fs/promises";
import { runChecks } from "./harness.mjs";
import { buildWorld } from "./world.mjs";
import "./coins.mjs";
import "./collections.mjs";
import "./governance.mjs";

const world = await buildWorld(JSON.parse(await readFile(process.argv[2], "utf8")));
console.log(JSON.stringify(await runChecks(world)));
world.provider.destroy();
