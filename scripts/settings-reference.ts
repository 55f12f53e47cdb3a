import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsReference } from "../components/settings/reference";
import { projectDirectory } from "./project";

// `npm run docs:settings`: writes docs/settings.md from the settings' own schema.
writeFileSync(join(projectDirectory, "docs", "settings.md"), settingsReference());
