import { z } from "zod";

const timestamp = z.iso.datetime({ offset: true });

export const cameraSchema = z.object({
	id: z.int(),
	cameraName: z.string(),
	location: z.string().nullable(),
	status: z.string(),
	createdAt: timestamp,
	metadata: z.record(z.string(), z.json()).optional(),
});

export const camerasSchema = z.object({
	cameras: z.array(cameraSchema),
	nextCursor: z.string().nullable(),
});

export const resultsSchema = z.object({
	results: z.array(
		z.object({
			id: z.int(),
			cameraId: z.int(),
			countType: z.string(),
			countValue: z.int().min(0),
			confidenceScore: z.number().min(0).max(1).nullable(),
			createdAt: timestamp,
		}),
	),
	nextCursor: z.string().nullable(),
});

export const hourlySchema = z.object({
	cameraId: z.int(),
	hours: z.array(z.object({ hour: z.string(), countType: z.string(), total: z.number(), results: z.int() })),
});

export const problemSchema = z.object({
	error: z.string(),
	message: z.string(),
	details: z.array(z.object({ field: z.string(), message: z.string() })),
});

export const versionSchema = z.object({
	release: z.string(),
	requiredSchema: z.string(),
	schema: z.string(),
});
