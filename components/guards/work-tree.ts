/** What git and the CI system say of where the program was taken from. */
export interface WorkTree {
	commit?: string;
	/** Files that are not as in the commit, from the repository's root; undefined where git cannot tell. */
	changed?: readonly string[];
}

/** Changed by `config set`: what it holds is on record with each deployment. */
const STACK_FILE = /(^|\/)Pulumi\.[\w.-]+\.yaml$/;
const SHOWN = 5;

/**
 * What stands against deploying from a work tree: what is deployed would be in no commit.
 *
 * @returns the sentence to refuse the update with; undefined when nothing stands against it
 */
export function workTreeFault({ commit, changed }: WorkTree): string | undefined {
	if (commit === undefined) {
		return "nothing tells which commit this is: deploy from a git work tree, or let the CI system say it (GITHUB_SHA, CI_COMMIT_SHA or BUILDKITE_COMMIT)";
	}
	const files = (changed ?? []).filter((file) => !STACK_FILE.test(file));
	if (files.length === 0) {
		return undefined;
	}
	const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : "";
	return `files differ from commit ${commit.slice(0, 12)}: ${files.slice(0, SHOWN).join(", ")}${more}; commit them, or put them back`;
}
