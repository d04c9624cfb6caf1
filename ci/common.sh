# Sourced by every step: how it asks ftctl, and how it speaks to the runner.
# What ftctl prints holds names and texts from manifests. None of it may be taken for a command of
# the runner, an option or a part of a script: it goes through files, quotes and `show`.
# shellcheck shell=bash
set -euo pipefail

# What is installed, for every use of the action in this job.
root="${RUNNER_TEMP:?}/ftctl"
mkdir -p "$root"

# Out of the environment until the one program that needs it is started.
api_key=${INPUT_API_KEY:-}
unset INPUT_API_KEY
# With these the job can prove which one it is to whoever trusts the forge: for ftctl alone.
identity_url=${ACTIONS_ID_TOKEN_REQUEST_URL:-}
identity_token=${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}
unset ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN

random_word() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Print files to the log; lines in them that look like the runner's commands are text.
show() {
    local stop
    stop=$(random_word)
    printf '::stop-commands::%s\n' "$stop"
    cat -- "$@"
    printf '\n::%s::\n' "$stop"
}

# Print a sentence as an error of the run and end with a status (1).
died=
die() {
    died=$1
    local text=${1//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    printf '::error title=ftctl::%s\n' "${text//$'\n'/'%0A'}"
    exit "${2:-1}"
}

set_output() {
    local edge
    edge=$(random_word)
    printf '%s<<%s\n%s\n%s\n' "$1" "$edge" "$2" "$edge" >> "$GITHUB_OUTPUT"
}

# A text as names can hold it, one text one name, also where upper case counts for nothing: lower-case
# letters, digits, '.' and '-' stay, and what else is asked for; any other byte is _ and its number.
spelled() {
    local LC_ALL=C text=$1 also=${2:-} at byte
    for ((at = 0; at < ${#text}; at++)); do
        byte=${text:at:1}
        case "$byte" in
            [a-z0-9.-]) printf '%s' "$byte" ;;
            *)
                if [ -n "$also" ] && [[ $byte == ["$also"] ]]; then
                    printf '%s' "$byte"
                else
                    printf '_%02x' "'$byte"
                fi
                ;;
        esac
    done
}

# The project's folder as the workflow means it, however it is written, and never like an option.
directory=${INPUT_DIRECTORY:-.}
[ -z "${GITHUB_WORKSPACE:-}" ] || [[ $directory/ != "$GITHUB_WORKSPACE"/* ]] ||
    directory=.${directory#"$GITHUB_WORKSPACE"}
while [[ $directory == *//* ]]; do directory=${directory//\/\//\/}; done
while [[ $directory == ./?* ]]; do directory=${directory#./}; done
[[ $directory != ?*/ ]] || directory=${directory%/}
[[ $directory != *$'\n'* && /$directory/ != */../* ]] ||
    die "'directory' is a folder of this checkout, such as services/support"
[[ $directory != -* ]] || directory=./$directory

# Environment and folder in a name. No environment is 'default': one of that name is spelled out.
environment=${INPUT_ENVIRONMENT:-}
case "$environment" in
    '') place=default ;;
    default) place=_64efault ;;
    *) place=$(spelled "$environment") ;;
esac
place+="@$(spelled "${directory#./}")"
# Names have a limit somewhere; beyond this one a hash stands for the rest.
[ "${#place}" -le 120 ] || place="${place:0:80}~$(printf '%s' "$place" | sha256sum | head -c 32)"

# What this use of the action leaves: another project or environment of the same job has its own.
work="$root/$place"
mkdir -p "$work"

# ftctl, in the project's folder and its environment. What it starts (programs of the policy, git)
# must not reach the files by which the runner is steered.
tool() {
    local shared=(-C "$directory" --no-color)
    [ -z "$environment" ] || shared+=(--env "$environment")
    (
        if [ "${INPUT_IDENTITY:-}" = true ]; then
            export ACTIONS_ID_TOKEN_REQUEST_URL="$identity_url"
            export ACTIONS_ID_TOKEN_REQUEST_TOKEN="$identity_token"
        fi
        exec env -u GITHUB_ENV -u GITHUB_OUTPUT -u GITHUB_PATH -u GITHUB_STATE \
            -u GITHUB_STEP_SUMMARY -u ACTIONS_RUNTIME_TOKEN \
            "$root/bin/ftctl" "${shared[@]}" "$@"
    )
}

# Hand the key to ftctl, under the name by which ftctl.yaml knows it.
use_key() {
    local name=${INPUT_API_KEY_ENV:-OPENAI_API_KEY}
    case "${INPUT_IDENTITY:-false}" in
        false) ;;
        true)
            [ -z "$api_key" ] || die "'identity' makes a key for this job, and 'api-key' is one: leave one of them out"
            [ -n "$identity_token" ] ||
                die "this job may not prove which one it is: with 'identity: true' it needs 'permissions: {id-token: write}'"
            ;;
        *) die "'identity' is true or false" ;;
    esac
    [ -n "$api_key" ] || return 0
    [[ $name =~ ^[A-Z_][A-Z0-9_]*$ ]] || die "api-key-env is '$name', which names no variable"
    case "$name" in
        PATH | HOME | ENV | BASH_* | LD_* | GH_* | GIT_* | PYTHON* | GITHUB_* | ACTIONS_* | RUNNER_* | INPUT_*)
            die "api-key-env is '$name', by which programs are steered: name a variable of your own"
            ;;
    esac
    export "$name=$api_key"
}

# The forge is asked with this; without it gh says how to log in, which helps nobody here.
require_token() {
    [ -n "${GH_TOKEN:-}" ] ||
        die "there is no token to ask GitHub with: leave 'github-token' out of the step, or give it one that is not empty"
}

# A key only where the workflow itself and the files come from people who may write here.
refuse_other_events() {
    case "$GITHUB_EVENT_NAME" in
        pull_request | push | schedule | workflow_dispatch | merge_group) ;;
        *) die "ftctl does not run on '$GITHUB_EVENT_NAME': it would read a stranger's files beside a key. Use 'pull_request'." ;;
    esac
}

event() { jq -r "$1 // empty" "$GITHUB_EVENT_PATH"; }

# Sets `commit` to one of the event; a value that is none stops the run.
event_commit() {
    commit=$(event "$1")
    [[ $commit =~ ^[0-9a-f]{40}([0-9a-f]{24})?$ ]] || die "the event has no commit at $1"
}

# The revision whose policy counts, as options for ftctl: `base`, else what the change goes to.
# Spelled out: 'origin/main' may be a tag that somebody pushed, and git believes a tag before a branch.
find_base() {
    local base=${INPUT_BASE:-}
    base_options=()
    case "${base:+given}$GITHUB_EVENT_NAME" in
        pull_request) base=refs/remotes/origin/$GITHUB_BASE_REF ;;
        merge_group)
            # Not .merge_group.base_sha: before this group others may wait whose settings nobody has
            # taken into the branch yet.
            base=$(event .merge_group.base_ref)
            [[ $base == refs/heads/?* ]] || die "the event has no branch at .merge_group.base_ref"
            base=refs/remotes/origin/${base#refs/heads/}
            ;;
        given*)
            ! git -C "$directory" rev-parse --quiet --verify --end-of-options \
                "refs/remotes/$base^{commit}" > /dev/null || base=refs/remotes/$base
            ;;
        *) return 0 ;;
    esac
    git -C "$directory" rev-parse --quiet --verify --end-of-options "$base^{commit}" > /dev/null ||
        die "the base '${base#refs/remotes/}' is not in this checkout: check out with 'fetch-depth: 0'"
    # shellcheck disable=SC2034 # for whoever sources this
    base_options=(--base "$base")
}

# Where ftctl.yaml has to be.
require_folder() {
    [ -d "$directory" ] ||
        die "there is no folder '$directory' in this checkout: 'directory' names the one with ftctl.yaml"
}

# Addresses beside those of known services that the key may go to, as options: one a line.
address_options() {
    local address
    # shellcheck disable=SC2034 # for whoever sources this
    addresses=()
    while read -r address; do
        [ -z "$address" ] || addresses+=(--allow-address "$address")
    done <<< "${INPUT_ALLOW_ADDRESS:-}"
}

# Whether this is a pull request of a fork; of one that was deleted, too.
from_fork() {
    [ "$GITHUB_EVENT_NAME" = pull_request ] || return 1
    [ "$(event .pull_request.head.repo.full_name)" != "$GITHUB_REPOSITORY" ]
}

# Whether it is from a fork, or of a bot that is given no key, whoever runs it again.
from_elsewhere() {
    [ "$GITHUB_EVENT_NAME" = pull_request ] || return 1
    [ "$(event .pull_request.user.login)" != 'dependabot[bot]' ] || return 0
    [ "${GITHUB_ACTOR:-}" != 'dependabot[bot]' ] || return 0
    from_fork
}

# By these lines a comment or an issue of ours is found again: one for each project and environment.
marked() { printf '%s %s' "${place%%@*}" "$(spelled "${directory#./}" 'A-Z/')"; }
mark() { printf '<!-- ftctl %s: %s -->' "$1" "$(marked)"; }

# A step that speaks at GitHub: ci/github, which has GitHub's token and never the service's key.
at_github() {
    local scripts
    [ "$1" = changed ] || require_token # that one asks git alone
    scripts=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
    FTCTL_PLACE=$place FTCTL_MARKED=$(marked) FTCTL_WORK=$work python3 -I "$scripts/github" "$@"
}

# What ends the command does not end this step.
in_shell() { ("$@"); }

# A step of github/record.py: fetch, keep or bring. What it says, or on the last line why it can not,
# is shown.
at_record() {
    local status=0 folder=${directory#./}
    [ "$folder" != . ] || folder=
    mkdir -p "$work/record"
    RECORD_PATH=${folder:+$folder/}ftctl.lock RECORD_LOCK=$PWD/${folder:+$folder/}ftctl.lock \
        RECORD_PROGRAM=$root/bin/ftctl in_shell at_github "$1" > "$work/record/said.txt" || status=$?
    show "$work/record/said.txt"
    return "$status"
}

# A file as Markdown in which nothing of its text is markup: heading, file.
verbatim() {
    printf '### %s\n\n<pre>\n' "$1"
    head -c 20000 -- "$2" | tr -d '\000-\010\013-\037\177' |
        sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/@/\&#64;/g'
    printf '\n</pre>\n'
}

# Print a sentence as a warning of the run.
warn() {
    local text=${1//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    printf '::warning title=ftctl::%s\n' "${text//$'\n'/'%0A'}"
}

# Plan into $work: plan.json, plan.md, log.txt. Sets `status`, `attention` (how many things only a
# person can decide on) and the outputs of the step.
run_plan() {
    status=0 attention=0
    rm -f "$work/plan.json" "$work/plan.md" "$work/plan.html"
    tool plan --detailed-exitcode --out "$work/plan.json" --format markdown "$@" \
        > "$work/plan.md" 2> "$work/log.txt" || status=$?
    show "$work/log.txt" "$work/plan.md"
    set_output exitcode "$status"
    set_output changes "$([ "$status" = 2 ] && echo true || echo false)"
    digest=none
    [ -s "$work/plan.json" ] || return 0
    digest=$(jq -r '.digest // "none"' "$work/plan.json")
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || die "the plan has no digest"
    attention=$(jq '.summary.attention // 0' "$work/plan.json")
    [ "$attention" = 0 ] ||
        warn "$attention needing attention: nothing is bought for that by itself; the plan says why, and what to do"
    set_output attention "$attention"
    set_output digest "$digest"
    set_output cost-low "$(jq -r '.cost.low // empty' "$work/plan.json")"
    set_output cost-high "$(jq -r '.cost.high // empty' "$work/plan.json")"
    set_output plan-file "$work/plan.json"
}

# The plan as Markdown, or why there is none.
plan_words() {
    if [ -s "$work/plan.md" ]; then cat "$work/plan.md"; else verbatim "$1" "$work/log.txt"; fi
}

# What an apply did, for the comment of `result`: leave_result STATUS, whether ftctl was asked,
# whether there was something to do, and since when it looked. Beside result.json lies report.md of
# ftctl, or what it printed.
leave_result() {
    local kind=${INPUT_COMMAND:-apply} waited=true ended
    ended=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    [ "$kind" = wait ] || [ "${INPUT_WAIT:-true}" = true ] || waited=false
    rm -rf "$work/result"
    mkdir "$work/result"
    [ ! -s "$work/report.md" ] || cp -- "$work/report.md" "$work/result/"
    [ ! -s "$work/applied.txt" ] || head -c 100000 -- "$work/applied.txt" > "$work/result/applied.txt"
    jq -n --argjson attempt "$GITHUB_RUN_ATTEMPT" --argjson status "$1" --argjson asked "$2" --argjson changes "$3" --argjson waited "$waited" \
        --arg why "$died" --arg started "$4" \
        --arg ended "$ended" '
        {format: 1, attempt: $attempt, status: $status, asked: $asked, changes: $changes, waited: $waited, why: $why,
         started: $started, ended: $ended}
    ' > "$work/result/result.json"
    set_output result "$work/result"
    set_output result-artifact "ftctl-result-$kind-$place"
}
