/* SPDX-License-Identifier: MIT */
/* Tests of `rill nc -i`: between typed text and bytes, and its screen [D6]. */
#include "rl_test.h"

/* the commands are no library: their sources are compiled in */
#include "tools/grid.c"
#include "tools/nc_text.c"
#include "tools/nc_view.c"
#include "tools/top_model.c"

static const struct {
	bool hex;
	const char *typed;
	int n;
	const char *bytes;
} typed[] = {
	{ true, "48 65 6c", 3, "Hel" }, { true, "48656C", 3, "Hel" },
	{ true, "0x48,0x65:6c", 3, "Hel" }, { true, "", 0, "" },
	{ true, "4", -1, NULL }, { true, "4g", -1, NULL }, { true, "4 8", -1, NULL },
	{ true, "0x", 0, "" }, { true, "zz", -1, NULL },
	{ false, "plain", 5, "plain" }, { false, "a\\n\\r\\t\\\\", 5, "a\n\r\t\\" },
	{ false, "\\x41\\x7a", 2, "Az" }, { false, "\\0x", 2, "\0x" },
	{ false, "\\q\\x4", 5, "\\q\\x4" }, { false, "end\\", 4, "end\\" },
};

TEST(typed_lines)
{
	unsigned char out[64];

	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		int n = typed[i].hex ? assist_from_hex(typed[i].typed, out, sizeof(out)) :
				       assist_from_text(typed[i].typed, out, sizeof(out));

		CHECK_EQ(typed[i].typed, n, typed[i].n);
		if (n > 0 && n == typed[i].n)
			CHECK(typed[i].typed, !memcmp(out, typed[i].bytes, (size_t)n));
	}
	CHECK_EQ("no room", assist_from_hex("010203", out, 2), -1);
	CHECK_EQ("no room for text", assist_from_text("abc", out, 2), -1);
}

TEST(rows_for_people)
{
	static const unsigned char data[] = "ab\ncd\r\n\x01\xff\x1b[31m";
	size_t n = sizeof(data) - 1, at = 0;
	char row[128];

	at += assist_row(data, n, false, row, sizeof(row));
	CHECK_STR("a line", row, "ab\\n");
	at += assist_row(data + at, n - at, false, row, sizeof(row));
	CHECK_STR("the next", row, "cd\\r\\n");
	at += assist_row(data + at, n - at, false, row, sizeof(row));
	CHECK_STR("nothing reaches the terminal", row, "\\x01\\xff\\x1b[31m");
	CHECK("all", at == n);
	assist_row(data, 4, true, row, sizeof(row));
	CHECK("hexadecimal", strstr(row, "61 62 0a 63 ") == row && strstr(row, "|ab.c|"));
}

/* All bytes, in any width: each row makes progress and none overflows. */
TEST(rows_end)
{
	unsigned char data[256];
	char row[160];

	for (int i = 0; i < 256; i++)
		data[i] = (unsigned char)i;
	for (size_t cap = 40; cap <= sizeof(row); cap++)
		for (int hex = 0; hex < 2; hex++) {
			size_t at = 0;

			for (int i = 0; i < 300 && at < 256; i++) {
				at += assist_row(data + at, 256 - at, hex, row, cap);
				CHECK("fits", strlen(row) < cap);
			}
			CHECK("to the end", at == 256);
		}
}

TEST(the_screen)
{
	static struct assist a;
	static struct grid g;
	char buf[2048];
	bool text = false, seg = false;

	a.state = RILL_CLOSE_WAIT;
	a.nrows = 1;
	a.row[0].kind = AS_RECEIVED;
	strcpy(a.row[0].text, "hello");
	a.nsegs = 1;
	strcpy(a.seg[0], "12:00:00.000001 in  [P.] seq 1 ack 1 win 5 len 5");
	strcpy(a.local, "10.0.0.1:80");
	for (int w = 1; w < 320; w += 7)
		for (int h = 1; h < 60; h += 3)
			assist_draw(&a, &g, w, h);
	assist_draw(&a, &g, 80, 24);
	for (int y = 0; y < 24; y++) {
		grid_row(&g, y, buf, sizeof(buf));
		text |= strstr(buf, "< hello") != NULL;
		seg |= strstr(buf, "[P.] seq 1") != NULL;
	}
	CHECK("data and segments", text && seg);
	CHECK("state on top", strstr(grid_row(&g, 0, buf, sizeof(buf)), "CLOSE-WAIT"));
	assist_draw(&a, &g, 79, 24);
	CHECK("too small", strstr(grid_row(&g, 0, buf, sizeof(buf)), "79 by 24 is too small"));
}
