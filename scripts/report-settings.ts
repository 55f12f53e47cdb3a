import type { ReportInputs } from "../components/report/report-inputs";
import type { StackFile } from "../components/report/stack-file";
import { parseSettings, SettingsError } from "../components/settings/settings";

/**
 * Checks a stack file's settings without those that are secret: nobody who may see a report has to be able to decrypt
 * them.
 */
export function settingsOf(project: string, { values, secrets }: StackFile): ReportInputs["settings"] {
	try {
		return { read: parseSettings({ project, values, secretKeys: Object.keys(secrets) }) };
	} catch (error) {
		if (error instanceof SettingsError) {
			return { mistakes: error.problems };
		}
		throw error;
	}
}
