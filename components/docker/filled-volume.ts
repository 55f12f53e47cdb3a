import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DockerHost } from "./host";

export interface FilledVolumeArgs {
	/** Where it is. */
	host: DockerHost;
	/** The volume's name. */
	volumeName: pulumi.Input<string>;
	/** An image that the host has anyway; nothing of it is run. */
	image: pulumi.Input<string>;
	/** Where users of the volume find it. */
	folder: string;
	/** File name → content. */
	files: Record<string, pulumi.Input<string>>;
}

/**
 * A volume with files. The engine writes no file into a container whose root is read-only, so they are written by way of
 * another one, which is never started.
 */
export class FilledVolume extends pulumi.ComponentResource {
	/** For the container that reads the files: it is replaced when they are. */
	readonly mounted: {
		volumes: docker.types.input.ContainerVolume[];
		labels: docker.types.input.ContainerLabel[];
	};

	constructor(name: string, args: FilledVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:docker:FilledVolume", name, {}, opts);
		const { host, volumeName, image, folder, files } = args;
		const child = { parent: this, provider: host.provider, ...host.own };
		const volume = new docker.Volume(`${name}-volume`, { name: volumeName }, child);
		const mount = { volumeName: volume.name, containerPath: folder };
		const writer = new docker.Container(
			`${name}-writer`,
			{
				image,
				start: false,
				mustRun: false,
				networkMode: "none",
				volumes: [mount],
				uploads: Object.entries(files).map(([file, content]) => ({
					file: `${folder}/${file}`,
					content,
					// Nobody but the image's own user is in there to read it.
					permissions: "0444",
				})),
			},
			// Whatever reads the files would be ended with it, before there is another: so it has no name of its own, and the
			// next one writes beside it.
			{ ...child, deleteBeforeReplace: false },
		);
		this.mounted = {
			volumes: [{ ...mount, readOnly: true }],
			labels: [{ label: "files", value: writer.id }],
		};
		this.registerOutputs({});
	}
}
