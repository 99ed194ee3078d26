/* SPDX-License-Identifier: MIT */
/* Tests of look/knobs.c: the list itself, defaults, reading and setting.  [B11] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rl_test.h"
#include "look/knobs.h"

TEST(knobs_list_is_whole)
{
	const struct knob *k, *other;
	unsigned n = 0;

	for (; (k = knob_at(n)) != NULL; n++) {
		CHECK(k->name, !strncmp(k->name, "net.", 4));
		CHECK(k->name, strlen(k->help) > 5 && strlen(k->advice) >= 7);
		CHECK(k->name, !strchr(k->help, '\n') && k->help[strlen(k->help) - 1] != '.');
		CHECK(k->name, knob_find(k->name) == k);	/* no name twice */
	}
	CHECK("those of the list", n > 150);
	other = knob_find("net.ipv4.tcp_tw_recycle");
	REQUIRE("recycle is known", other);
	CHECK("never", !strncmp(other->advice, "never", 5) && strstr(other->advice, "4.12"));
	CHECK("no such", !knob_find("net.ipv4.nothing"));
}

static const struct {
	const char *name, *value;
	bool changed;
} rows[] = {
	{ "net.ipv4.tcp_fin_timeout", "60", false },
	{ "net.ipv4.tcp_fin_timeout", "6", true },
	{ "net.ipv4.tcp_fin_timeout", "600", true },
	{ "net.core.somaxconn", "4096", false },
	{ "net.core.somaxconn", "128", false },		/* of kernels before 5.4 */
	{ "net.core.somaxconn", "12", true },
	{ "net.ipv4.ip_local_port_range", "32768 60999", false },
	{ "net.ipv4.ip_local_port_range", "1024 60999", true },
	{ "net.ipv4.tcp_mem", "1 2 3", false },		/* by memory */
	{ "net.ipv4.ip_local_reserved_ports", "", false },
	{ "net.ipv4.ip_local_reserved_ports", "8080", true },
};

TEST(knobs_changed)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(rl_label("%s %s", rows[i].name, rows[i].value),
			 knob_changed(knob_find(rows[i].name), rows[i].value), rows[i].changed);
}

TEST(knobs_read_and_write)
{
	char root[] = "/tmp/rill-knobs.XXXXXX", path[256], value[KNOB_VALUE];
	FILE *f;

	REQUIRE("directory", mkdtemp(root));
	snprintf(path, sizeof(path), "%s/net", root);
	REQUIRE("net", mkdir(path, 0700) == 0);
	snprintf(path, sizeof(path), "%s/net/x", root);
	f = fopen(path, "w");
	REQUIRE("file", f);
	fputs("\t4096\t131072  33554432\n", f);
	fclose(f);
	CHECK_EQ("read", knob_read(root, "net.x", value), 0);
	CHECK_STR("blanks are single ones", value, "4096 131072 33554432");
	CHECK_EQ("write", knob_write(root, "net.x", "7"), 0);
	CHECK_EQ("read again", knob_read(root, "net.x", value), 0);
	CHECK_EQ("new value", value[0], '7');
	CHECK_EQ("not there", knob_read(root, "net.y", value), -ENOENT);
	CHECK_STR("no old value stays", value, "");
	CHECK_EQ("not of net", knob_read(root, "kernel.x", value), -EINVAL);
	CHECK_EQ("no way out", knob_read(root, "net./../x", value), -EINVAL);
	CHECK_EQ("dots lead nowhere", knob_read(root, "net...x", value), 0);
	CHECK_EQ("a directory", knob_read(root, "net.", value), -EISDIR);
	unlink(path);
	path[strlen(path) - 2] = '\0';
	rmdir(path);
	rmdir(root);
}
