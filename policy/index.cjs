// A policy pack's own Node arguments come too late for loading TypeScript, so that its entry has to be JavaScript.
require("tsx/cjs");
require("./pack.ts");
