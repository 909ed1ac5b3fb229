#!/bin/sh
# Makes documentation from the program's own help texts, so that both always agree.
# usage: tools/gen_docs.sh NORMALCY options      prints docs/options.md on stdout
#        tools/gen_docs.sh NORMALCY man FOLDER   writes normalcy.1 and normalcy-COMMAND.1 for each
set -eu

normalcy=$1
# Each text goes through a variable: a pipe would hide that the program failed.
help=$("$normalcy" --help)
version=$("$normalcy" --version)
commands=$(printf '%s\n' "$help" | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ -n "$commands" ] || { echo "gen_docs.sh: $normalcy --help names no commands" >&2; exit 1; }

options() {
    echo '# Commands and options'
    echo
    echo 'What `--help` prints. Generated: `tools/gen_docs.sh build/release/normalcy options > docs/options.md`.'
    echo
    echo '```text'
    "$normalcy" --help
    echo '```'
    for command in $commands; do
        printf '\n## normalcy %s\n\n```text\n' "$command"
        "$normalcy" "$command" --help
        echo '```'
    done
}

# page NAME SUMMARY PAGES: turns the help text on stdin into a man page that refers to PAGES
page() {
    awk -v name="$1" -v summary="$2" -v version="$version" '
    function roff(text) {
        gsub(/\\/, "\\e", text)
        gsub(/-/, "\\-", text)
        return (text ~ /^[.\047]/ ? "\\&" : "") text
    }
    function section(title) {
        if (title != current)
            print ".SH " title
        current = title
        paragraph = 0
    }
    function item(left, right) {
        print ".TP"
        print "\\fB" roff(left) "\\fR"
        print roff(right)
    }

    { line[++n] = $0 }
    END {
        print ".TH " toupper(roff(name)) " 1 \"\" \"" version "\" \"User Commands\""
        section("NAME")
        print roff(name) " \\- " roff(summary)
        section("SYNOPSIS")
        for (i = 1; i <= n; i++) {
            if (line[i] ~ /^(usage: |       )normalcy/) {
                section("SYNOPSIS")
                print (synopsis++ ? ".br\n" : "") roff(substr(line[i], 8))
            } else if (line[i] ~ /^[A-Z][A-Za-z ]*:$/ && line[i + 1] ~ /^  --/) {
                section("OPTIONS")
                print ".SS " roff(substr(line[i], 1, length(line[i]) - 1))
            } else if (line[i] ~ /^  --/ && substr(line[i + 1], 1, 29) ~ /^ +$/) {
                item(substr(line[i], 3), substr(line[i + 1], 30)) # too long for one line
                i++
            } else if (line[i] ~ /^  --/) {
                left = substr(line[i], 3, 26)
                sub(/ +$/, "", left)
                item(left, substr(line[i], 30))
            } else if (line[i] ~ /^[A-Z][a-z]*:$/ && line[i + 1] ~ /^  [^ ]/) {
                print ".SS " roff(substr(line[i], 1, length(line[i]) - 1))
            } else if (line[i] ~ /^  [^ ]+ /) {
                if (name == "normalcy")
                    section("COMMANDS")
                split(line[i], word, " ")
                right = substr(line[i], 3 + length(word[1]))
                sub(/^ +/, "", right)
                item(word[1], right)
            } else if (line[i] ~ /^Exit codes: /) {
                section("EXIT STATUS")
                print roff(substr(line[i], 13))
            } else if (synopsis && line[i] != "") {
                new = paragraph
                section("DESCRIPTION")
                if (new)
                    print ".PP"
                print (line[i] ~ /^ / ? ".br\n" : "") roff(line[i])
            } else if (current == "DESCRIPTION")
                paragraph = 1
        }
        section("SEE ALSO")
        last = split(see, pages, " ")
        for (i = 1; i <= last; i++)
            print ".BR " roff(pages[i]) " (1)" (i < last ? "," : "")
    }' see="$3" -
}

man() {
    mkdir -p "$1"
    pages=$(printf 'normalcy-%s ' $commands)
    printf '%s\n' "$help" |
        page normalcy 'video anomaly detection from normal footage of a fixed camera' "$pages" \
            >"$1/normalcy.1"
    for command in $commands; do
        summary=$(printf '%s\n' "$help" | sed -nE "s/^  $command +//p" | sed 's/: normalcy .*//')
        text=$("$normalcy" "$command" --help)
        printf '%s\n' "$text" | page "normalcy-$command" "$summary" normalcy \
            >"$1/normalcy-$command.1"
    done
}

case ${2-} in
options) options ;;
man) man "$3" ;;
*) echo "gen_docs.sh: expected options or man; found \"${2-}\"" >&2; exit 2 ;;
esac
