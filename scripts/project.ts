import { join } from "node:path";

/** The project's folder: commands work on it wherever they are called from. */
export const projectDirectory = join(__dirname, "..");

/** The project's name in Pulumi.yaml. */
export const projectName = "camera-counting";
