/* SPDX-License-Identifier: MIT */
/*
 * The scenes as a table, out of lab_scenes.def and the causes of look/causes.def; the
 * list of them and the text of one, printed.  Called by cmd_lab.c and lab_ns.c.
 */
#include "tools/lab_scenes.h"

#include <stdio.h>
#include <string.h>

#include "tools/out.h"

enum cause {
#define CAUSE(id, name, row, title)	CAUSE_##id,
#include "look/causes.def"
#undef CAUSE
	CAUSE_NONE
};

static const struct {
	const char *name, *row, *title;
} cause_of[] = {
#define CAUSE(id, name, row, title)	[CAUSE_##id] = { name, row, title },
#include "look/causes.def"
#undef CAUSE
	[CAUSE_NONE] = { "", "", "" },
};

#define BOTH		(LAB_ON_KERNEL | LAB_ON_RILL)
#define KERNEL		LAB_ON_KERNEL
#define RILL		LAB_ON_RILL

static const struct {
	const char *name;
	enum cause cause;
	unsigned on;
	const char *other, *text, *cure;
	void (*stage)(struct lab *l);
} table[] = {
#define SCENE(id, name, cause, on, other, text, cure) \
	{ name, CAUSE_##cause, on, other, text, cure, lab_stage_##id },
#include "tools/lab_scenes.def"
#undef SCENE
};

#define SCENES	(sizeof(table) / sizeof(table[0]))

const struct lab_scene *lab_scene_at(unsigned i)
{
	static struct lab_scene s;

	if (i >= SCENES)
		return NULL;
	s = (struct lab_scene){
		.name = table[i].name, .on = table[i].on, .other = table[i].other,
		.text = table[i].text, .cure = table[i].cure, .stage = table[i].stage,
		.cause = cause_of[table[i].cause].name, .row = cause_of[table[i].cause].row,
		.title = cause_of[table[i].cause].title,
	};
	if (table[i].cause == CAUSE_NONE)
		s.title = "nothing is wrong";
	return &s;
}

const struct lab_scene *lab_scene_named(const char *name)
{
	for (unsigned i = 0; i < SCENES; i++)
		if (!strcmp(table[i].name, name))
			return lab_scene_at(i);
	return NULL;
}

static const char *sides(unsigned on)
{
	return on == BOTH ? "kernel rill" : on == KERNEL ? "kernel" : "rill";
}

static void json_scene(const struct lab_scene *s)
{
	printf("{\"rill\":1,\"scene\":");
	out_json_str(s->name);
	printf(",\"cause\":");
	out_json_str(s->cause);
	printf(",\"row\":");
	out_json_str(s->row);
	printf(",\"title\":");
	out_json_str(s->title);
	printf(",\"on\":[%s%s%s],\"not_on_the_other\":", s->on & KERNEL ? "\"kernel\"" : "",
	       s->on == BOTH ? "," : "", s->on & RILL ? "\"rill\"" : "");
	out_json_str(s->other);
	puts("}");
}

void lab_list(bool json)
{
	const struct lab_scene *s;

	for (unsigned i = 0; (s = lab_scene_at(i)) != NULL; i++) {
		if (json)
			json_scene(s);
		else
			printf("%-20s %-4s %-12s %s\n", s->name, *s->row ? s->row : "-",
			       sides(s->on), s->title);
	}
}

void lab_report(const struct lab *l, const char *truth, bool shell)
{
	const struct lab_scene *s = l->scene;
	const char *key;
	json_t *v;

	if (truth) {
		puts(truth);
		return;
	}
	printf("%s, on %s: %s\n\n%s\n\n", s->name, l->rill ? "Rill" : "the kernel", s->title,
	       s->text);
	json_object_foreach(l->truth, key, v) {
		if (json_is_integer(v) && strcmp(key, "rill") != 0)
			printf("  %-14s %lld\n", key, (long long)json_integer_value(v));
		else if (json_is_string(v) && strcmp(key, "scene") && strcmp(key, "on") &&
			 strcmp(key, "cause") && strcmp(key, "row"))
			printf("  %-14s %s\n", key, json_string_value(v));
	}
	printf("\nLook:  %s\n       rill doctor\n       ip netns exec peer ss -tan   "
	       "(the other side)\n", l->rill ? "rill ss -tanp" : "ss -tanp");
	if (*s->cure)
		printf("Cure:  %s\n", s->cure);
	if (shell)
		printf("\nThis shell is inside; leaving it takes everything down.\n");
}
