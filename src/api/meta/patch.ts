/** The three ways to change an object by a description of the change. All return a new value and leave both inputs be. */
export { applyJsonPatch } from "./patch/json.ts";
export { applyMergePatch } from "./patch/merge.ts";
export { applyStrategicMergePatch } from "./patch/strategic.ts";
