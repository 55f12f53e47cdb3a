import type { StackInputs } from "../release/stack";
import { LocalPlatform } from "./local";
import type { Platform } from "./platform";

/** Where a stack's settings say that it runs. */
export function platformOf({ names, settings }: StackInputs): Platform {
	return new LocalPlatform(names, settings);
}
