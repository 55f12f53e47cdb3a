/**
 * Reads options of the form `--name=number` of a stage's command.
 *
 * @param defaults every option that there is, with the value that it has when it is left out
 * @throws Error naming the first argument that is none of them
 */
export function numberOptions<Name extends string>(
	args: readonly string[],
	defaults: Record<Name, number>,
): Record<Name, number> {
	const options = { ...defaults };
	for (const arg of args) {
		const [, name, value] = /^--([a-z0-9-]+)=(\d+(?:\.\d+)?)$/.exec(arg) ?? [];
		if (name === undefined || !Object.hasOwn(defaults, name)) {
			const known = Object.keys(defaults)
				.map((each) => `--${each}=<number>`)
				.join(", ");
			throw new Error(`found ${arg}; allowed: ${known}`);
		}
		options[name as Name] = Number(value);
	}
	return options;
}
