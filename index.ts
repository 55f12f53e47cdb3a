import { readStack } from "./components/release/stack";
import { deployBlueGreen } from "./components/strategy/blue-green";
import { deployInPlace } from "./components/strategy/in-place";

/** What the stack file wants, compared with what the last update left, declared as resources. */
export = async () => {
	const inputs = await readStack();
	return inputs.settings.strategy === "blue-green" ? deployBlueGreen(inputs) : deployInPlace(inputs);
};
