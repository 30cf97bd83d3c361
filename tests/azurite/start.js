// Runs the blob service, or with --queuePort all three, and ends them when the pipe from its parent closes, however the parent ended.
process.stdin.on("close", () => process.exit()).on("error", () => process.exit()).resume();
require(process.argv.includes("--queuePort") ? "azurite/dist/src/azurite.js" : "azurite/dist/src/blob/main.js");
