# SPDX-License-Identifier: MIT
"""Mutations of C code: a tokenizer, and the list of all single decisions in a file
that can be flipped.  Nothing here runs anything; scripts/mutants does.

A mutation touches code in function bodies and in initialised tables, never
comments, strings, directives, declarations of types or static assertions.
"""
import hashlib
import re

TOKEN = re.compile(r"""
    (?P<skip>\s+|/\*.*?\*/|//[^\n]*)
  | (?P<str>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
  | (?P<num>\.?[0-9](?:[eEpP][+-]|[0-9A-Za-z_.])*)
  | (?P<id>[A-Za-z_]\w*)
  | (?P<op>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.X | re.S)
DIRECTIVE = re.compile(r"^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*", re.M | re.S)

SWAPS = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
    "+=": ("-=",), "-=": ("+=",), "++": ("--",), "--": ("++",),
    "|=": ("&=",), "&=": ("|=",), "<<": (">>",), ">>": ("<<",),
}
BINARY = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "&": ("|",), "|": ("&",),
          "%": ("/",)}
WORDS = {
    "seq_lt": ("seq_le", "seq_ge"), "seq_le": ("seq_lt", "seq_gt"),
    "seq_gt": ("seq_ge", "seq_le"), "seq_ge": ("seq_gt", "seq_lt"),
    "seq_add": ("seq_sub",), "seq_sub": ("seq_add",),
    "seq_max": ("seq_min",), "seq_min": ("seq_max",),
    "RL_MAX": ("RL_MIN",), "RL_MIN": ("RL_MAX",),
    "true": ("false",), "false": ("true",), "DONE": ("NEXT",), "NEXT": ("DONE",),
}
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "case",
            "default", "goto", "break", "continue", "alignof", "_Alignof"}
TYPE = re.compile(r"(struct|union|enum|const|unsigned|signed|int|char|long|short|void|bool|"
                  r"\w+_t|rill_id)$")
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>="}


class Tok:
    __slots__ = ("kind", "text", "start", "end")

    def __init__(self, kind, text, start):
        self.kind, self.text, self.start, self.end = kind, text, start, start + len(text)


class Mutant:
    """One flipped decision: edits [(start, end, text)] of a file.  @code is the
    file with its comments blanked: an explanation survives a new comment."""

    def __init__(self, path, function, code, edits, what):
        self.path, self.function, self.what = path, function, what
        self.edits = sorted(edits)
        first, last = self.edits[0][0], self.edits[-1][1]
        self.line = code.count("\n", 0, first) + 1
        a = code.rfind("\n", 0, first) + 1
        b = code.find("\n", last)
        b = len(code) if b < 0 else b
        cut = [(s - a, e - a, t) for s, e, t in self.edits]
        self.before = " ".join(code[a:b].split())
        self.after = " ".join(apply(code[a:b], cut).split())
        self.table = False      # not in a function: nobody "executes" it
        self.nth = 1            # of those that look the same in this function

    def key(self):
        return self.path, self.function, self.before, self.after, self.nth

    def id(self):
        return hashlib.sha1("\0".join(map(str, self.key())).encode()).hexdigest()[:8]


def apply(src, edits):
    for start, end, text in sorted(edits, reverse=True):
        src = src[:start] + text + src[end:]
    return src


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(src):
    return "".join(blank(m.group(0)) if m.group(0)[:2] in ("/*", "//") else m.group(0)
                   for m in TOKEN.finditer(src))


def tokens(code):
    code = DIRECTIVE.sub(lambda m: blank(m.group(0)), code)
    return [Tok(m.lastgroup, m.group(0), m.start()) for m in TOKEN.finditer(code)
            if m.lastgroup != "skip"]


def partners(toks):
    """For each bracket the index of its other half."""
    other, stack = {}, []
    for i, t in enumerate(toks):
        if t.text in ("(", "[", "{"):
            stack.append(i)
        elif t.text in (")", "]", "}") and stack:
            j = stack.pop()
            other[i], other[j] = j, i
    return other


def regions(toks, other):
    """(first token, last token, name, kind) of function bodies and tables."""
    i = begin = 0
    while i < len(toks):
        t = toks[i].text
        if t in ("_Static_assert", "static_assert"):
            i = other[i + 1]
        elif t == ";":
            begin = i + 1
        elif t == "{":
            end, head = other[i], [x.text for x in toks[begin:i]]
            if head and head[-1] == ")":
                name = toks[other[i - 1] - 1].text
                yield i, end, name, "bool" if "bool" in head[:head.index("(")] else "body"
                begin = end + 1
            elif head and head[-1] == "=":
                names = [x for x in head if re.match(r"\w", x)]
                yield i, end, next((x for x in reversed(head[:head.index("[")])), names[-1]) \
                    if "[" in head else names[-1], "table"
            elif not any(x in head for x in ("struct", "union", "enum", "extern")):
                yield i, end, "?", "table"
            i = end
        i += 1


class Scan:
    """All mutants of one region."""

    def __init__(self, path, src, toks, other, region):
        self.path, self.src, self.toks, self.other = path, src, toks, other
        self.first, self.last, self.name, self.kind = region
        self.out = []

    def add(self, what, *edits):
        m = Mutant(self.path, self.name, self.src, edits, what)
        m.table = self.kind == "table"
        self.out.append(m)

    def text(self, i):
        return self.toks[i].text if 0 <= i < len(self.toks) else ""

    def is_cast(self, i):
        """Does the ')' at @i close a cast?"""
        inside = self.toks[self.other[i] + 1:i]
        return bool(inside) and all(t.kind == "id" or t.text == "*" for t in inside) and \
            (bool(TYPE.match(inside[0].text)) and
             not (self.toks[self.other[i] - 1].kind == "id" and
                  self.text(self.other[i] - 1) not in KEYWORDS))

    def is_binary(self, i):
        p = self.toks[i - 1]
        if p.text == ")":
            return not self.is_cast(i - 1)
        if p.text == "]":
            return True
        return p.kind in ("num", "str") or (p.kind == "id" and p.text not in KEYWORDS and
                                            not TYPE.match(p.text))

    def statement_starts(self, i):
        p = self.text(i - 1)
        if p in (";", "{", "}", "else", "do"):
            return True
        if p == ":":            # of a label, not of "? :"
            j = i - 1
            while self.text(j) not in (";", "{", "}", "case", "default", "?"):
                j -= 1
            return self.text(j) in ("case", "default") or j == i - 3
        if p == ")":
            return self.text(self.other[i - 1] - 1) in ("if", "while", "for", "switch")
        return False

    def end_of_statement(self, i):
        while self.text(i) != ";":
            i = self.other[i] if self.text(i) in ("(", "[", "{") else i
            i += 1
        return i

    def run(self):
        depth = 0
        for i in range(self.first + 1, self.last):
            t = self.toks[i]
            depth += (t.text in ("(", "[")) - (t.text in (")", "]"))
            if t.kind == "num":
                self.constant(i)
            elif t.kind == "op":
                self.operator(i)
            elif t.kind == "id" and self.kind != "table":
                self.word(i)
            if self.kind != "table" and depth == 0 and self.statement_starts(i):
                self.statement(i)
        return self.out

    def constant(self, i):
        t = self.toks[i]
        m = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)", t.text)
        if not m or self.text(i - 1) == "case" or self.declares_size(i):
            return
        if self.text(i - 1) == "{" and self.text(i + 1) == "}":
            return              # "= { 0 }": nothing is decided
        if self.text(i - 1) == "return" and self.text(i + 1) == ";" and t.text == "0":
            self.add("constant", (t.start, t.end, "-1"))
            return              # success becomes an error; 1 would be success too
        value = int(m.group(1), 0)
        form = "0x%x" if m.group(1)[:2].lower() == "0x" else "%d"
        # -1 is a sign more often than a number: only "not -1" is another decision
        minus = self.text(i - 1) == "-" and not self.is_binary(i - 1)
        for v in (value - 1,) if minus else (value + 1, value - 1):
            if v >= 0:
                self.add("constant", (t.start, t.end, form % v + m.group(2)))

    def declares_size(self, i):
        if self.text(i - 1) != "[" or self.text(i + 1) != "]":
            return False
        p = self.toks[i - 3]
        return p.text == "*" or p.text == "," or bool(TYPE.match(p.text))

    def operator(self, i):
        t = self.toks[i]
        swaps = SWAPS.get(t.text, ())
        if not swaps and t.text in BINARY and self.is_binary(i):
            swaps = BINARY[t.text]
        for s in swaps:
            self.add("operator", (t.start, t.end, s))
        if t.text in ("!", "~"):
            self.add("negation", (t.start, t.end, ""))
        if t.text == "?":
            self.ternary(i)

    def ternary(self, i):
        """a ? b : c to a ? c : b"""
        j, nested = i + 1, 0
        while nested or self.text(j) != ":":
            nested += (self.text(j) == "?") - (self.text(j) == ":")
            j = self.other[j] if self.text(j) in ("(", "[", "{") else j
            j += 1
        k, nested = j + 1, 0
        while self.text(k) not in (",", ";", ")", "]", "}") and \
                (nested or self.text(k) != ":"):
            nested += (self.text(k) == "?") - (self.text(k) == ":")
            k = self.other[k] if self.text(k) in ("(", "[", "{") else k
            k += 1
        b = (self.toks[i + 1].start, self.toks[j - 1].end)
        c = (self.toks[j + 1].start, self.toks[k - 1].end)
        self.add("ternary", (*b, self.src[slice(*c)]), (*c, self.src[slice(*b)]))

    def word(self, i):
        t = self.toks[i]
        verdict = t.text in ("DONE", "NEXT")
        if t.text in WORDS and (not verdict or self.text(i - 1) == "return"):
            for w in WORDS[t.text]:
                self.add("word", (t.start, t.end, w))
        if t.text in ("if", "while"):
            a, b = self.toks[i + 1], self.toks[self.other[i + 1]]
            self.add("condition", (a.end, a.end, "!("), (b.start, b.start, ")"))
            if t.text == "if":
                self.add("condition", (a.end, a.end, "true || ("), (b.start, b.start, ")"))
                self.add("condition", (a.end, a.end, "false && ("), (b.start, b.start, ")"))
        if t.text == "break":
            self.add("jump", (t.start, t.end, ""))
            self.add("jump", (t.start, t.end, "continue"))
        if t.text == "continue":
            self.add("jump", (t.start, t.end, ""))
            self.add("jump", (t.start, t.end, "break"))
        if t.text == "return":
            self.returned(i)

    def returned(self, i):
        end = self.toks[self.end_of_statement(i)].start
        a = self.toks[i + 1]
        if self.kind == "bool" and a.text not in ("true", "false"):
            self.add("return", (a.start, a.start, "!("), (end, end, ")"))
        if a.text == "-" and re.match(r"E[A-Z]", self.text(i + 2)):
            self.add("return", (a.start, end, "0"))
        m = re.match(r"(RL_DROP|RL_HOLD)_(?!NONE)", a.text)
        if m and self.text(i + 2) == ";":
            self.add("return", (a.start, a.end, m.group(1) + "_NONE"))

    def statement(self, i):
        """A call, or an assignment to what outlives the function, is left out."""
        t = self.toks[i]
        if t.text in KEYWORDS or not (t.kind == "id" or t.text in ("*", "++", "--")):
            return
        end = self.end_of_statement(i)
        body = [x.text for x in self.toks[i:end]]
        call = t.kind == "id" and body[1:2] == ["("] and self.other[i + 1] == end - 1
        j, lhs = i, []
        while j < end and self.text(j) not in ASSIGN and self.text(j) not in ("++", "--"):
            lhs.append(self.text(j))
            j = self.other[j] if self.text(j) in ("(", "[") else j
            j += 1
        stored = j < end and ("->" in lhs or "." in lhs or "[" in lhs or body[0] == "*") and \
            not (len(lhs) > 1 and TYPE.match(lhs[0]))
        if call or stored:
            gap = "\n" * self.src.count("\n", t.start, self.toks[end].start)
            self.add("deletion", (t.start, self.toks[end].start, gap))


def mutants_of(path, src):
    code = without_comments(src)
    toks = tokens(code)
    other = partners(toks)
    found, seen, out = {}, set(), []
    for region in regions(toks, other):
        for m in Scan(path, code, toks, other, region).run():
            edit = tuple(m.edits)
            if edit in seen:
                continue
            seen.add(edit)
            k = m.key()[:4]
            m.nth = found[k] = found.get(k, 0) + 1
            out.append(m)
    return out
