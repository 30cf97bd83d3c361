// Runs the blob service and ends it when the pipe from its parent closes, however the parent ended.
process.stdin.on("close", () => process.exit()).on("error", () => process.exit()).resume();
require("azurite/dist/src/blob/main.js");
