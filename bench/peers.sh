#!/usr/bin/env bash
# Ours beside Debian's fasttext, gensim and scikit-learn, and beside plain skip-gram in C: one table, all in one run, rounds interleaved, medians.
#
#   bench/peers.sh [words|heads|accuracy|all] [data=../shared/data/imdb] [labelled=DATA/labelled.csv.gz] [rounds=5] [slice=4000000] [epochs=1]
#                  [threads=2] [dim=100] [window=5] [negatives=5] [mincount=5] [subsample=1e-4] [rate=0.05] [quality=5] [full=ours|all|no]
#
# words     words/s of training alone (reading and writing files are not counted), peak memory of the process (VmHWM); then every tool's vectors of `quality` epochs on the
#           same texts: accuracy on held-back rows with 64 labels a class, rank correlation of similarities with gensim's; then all texts, five epochs. About 10 minutes.
# heads     fits of one head beside scikit-learn's: same optimum, ratio of times.
# accuracy  accuracy at each number of labels.
# Paths are taken from the root of the repository. Installs the Debian packages where it may (root, apt-get), else says what is missing. Builds bench (.NET) and bench/skipgram.c alone.
set -euo pipefail
export LC_ALL=C.UTF-8 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
cd "$(dirname "${BASH_SOURCE[0]}")/.."

what=all
data=../shared/data/imdb labelled="" rounds=5 slice=4000000 epochs=1 threads=2 dim=100 window=5 negatives=5 mincount=5 subsample=1e-4 rate=0.05 quality=5 full=ours
for argument in "$@"; do
    case "$argument" in
        words | heads | accuracy | all) what=$argument ;;
        data=* | labelled=* | rounds=* | slice=* | epochs=* | threads=* | dim=* | window=* | negatives=* | mincount=* | subsample=* | rate=* | quality=* | full=*)
            declare "${argument%%=*}=${argument#*=}" ;;
        *)
            sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
            exit 2 ;;
    esac
done
if [[ ! -e $data ]]; then
    echo "peers.sh: there is no '$data'. Give data=FOLDER with CSV files (column text; gzip is read)." >&2
    exit 1
fi
if [[ -z $labelled ]]; then
    labelled=$data
    [[ -d $data ]] && labelled=$(find "$data" -maxdepth 1 -name '*.csv*' ! -name 'unlabelled*' | sort | head -1)
fi

# Debian's tools; /usr/bin/python3 is Debian's, whatever else is first on the path.
python=/usr/bin/python3
missing=()
[[ -x /usr/bin/fasttext ]] || missing+=(fasttext)
"$python" -c 'import gensim' 2> /dev/null || missing+=(python3-gensim)
"$python" -c 'import sklearn' 2> /dev/null || missing+=(python3-sklearn)
if ((${#missing[@]} > 0)); then
    if [[ $(id -u) == 0 ]] && command -v apt-get > /dev/null; then
        echo "installing ${missing[*]}" >&2
        apt-get install -y -qq "${missing[@]}" > /dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq "${missing[@]}" > /dev/null; }
    else
        echo "peers.sh needs: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet build bench -c Release -nologo -v quiet -p:RunAnalyzers=false > "$work/build" 2>&1 || { cat "$work/build" >&2; exit 1; }
ours=(dotnet bench/bin/Release/net10.0/Scion.Bench.dll)
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
echo "$(date -u +%Y-%m-%d), ${processor:-unknown processor}, $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg); fasttext $(dpkg-query -W -f '${Version}' fasttext), gensim $(dpkg-query -W -f '${Version}' python3-gensim), scikit-learn $(dpkg-query -W -f '${Version}' python3-sklearn), .NET $(dotnet --version)"

# Each prints "seconds S words/s N peak-KiB M" on its last line; $1 tokens, $2 where vectors go ('-': nowhere), $3 epochs, $4 words of the file.
run_scion() {
    local out=()
    [[ $2 == - ]] || out=("out=$2")
    "${ours[@]}" peers train "$1" "${out[@]}" "epochs=$3" "threads=${5:-$threads}" "dim=$dim" "window=$window" "negatives=$negatives" "minCount=$mincount" "subsample=$subsample" "rate=$rate"
}
run_scion_1_thread() { run_scion "$1" "$2" "$3" "$4" 1; }
run_gensim() { "$python" bench/peers/gensim_words.py "$1" "$2" "$dim" "$window" "$negatives" "$3" "$mincount" "$subsample" "$rate" "$threads" 2> /dev/null; }
run_plain_c() { "$work/skipgram" "$1" "$2" "$dim" "$window" "$negatives" "$3" "$mincount" "$subsample" "$rate" "$threads"; }
run_plain_c_fast_math() { "$work/skipgram-fast-math" "$1" "$2" "$dim" "$window" "$negatives" "$3" "$mincount" "$subsample" "$rate" "$threads"; }
run_fasttext() { # its own count of words a second of training, a thread; $5: longest character n-gram, 0 for whole words alone
    "$python" bench/peers/peak.py "$work/peak" fasttext skipgram -input "$1" -output "$work/ft" -dim "$dim" -ws "$window" -neg "$negatives" -epoch "$3" -minCount "$mincount" \
        -t "$subsample" -lr "$rate" -thread "$threads" -maxn "${5:-0}" > "$work/ft.log" 2>&1
    local each
    each=$(tr '\r' '\n' < "$work/ft.log" | sed -n 's/.*Progress: 100.*words\/sec\/thread: *\([0-9]*\).*/\1/p' | tail -1)
    [[ $2 == - ]] || mv "$work/ft.vec" "$2"
    rm -f "$work/ft.vec" "$work/ft.bin"
    awk -v each="$each" -v threads="$threads" -v words="$4" -v epochs="$3" -v peak="$(cat "$work/peak")" \
        'BEGIN { all = each * threads; printf "seconds %.3f words/s %.0f peak-KiB %d\n", words * epochs / all, all, peak }'
}
run_fasttext_subwords() { run_fasttext "$1" "$2" "$3" "$4" 6; }

field() { sed -n "s|.*\b$1 \([0-9.]*\).*|\1|p" | tail -1; }
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

words() {
    "${ours[@]}" peers tokens "$data" "$work/all.txt" > "$work/count"
    local total tools=(scion scion_1_thread gensim fasttext fasttext_subwords) tool round figures words
    total=$(awk '{ print $3 }' "$work/count")
    awk -v most="$slice" '{ n += NF; print; if (n >= most) exit }' "$work/all.txt" > "$work/slice.txt"
    words=$(wc -w < "$work/slice.txt")
    if command -v gcc > /dev/null; then
        gcc -O3 -march=native -pthread -o "$work/skipgram" bench/skipgram.c -lm
        gcc -O3 -march=native -ffast-math -pthread -o "$work/skipgram-fast-math" bench/skipgram.c -lm
        tools+=(plain_c plain_c_fast_math)
    else
        echo "no gcc: plain skip-gram in C is left out" >&2
    fi
    for ((round = 1; round <= rounds; round++)); do
        for tool in "${tools[@]}"; do
            figures=$("run_$tool" "$work/slice.txt" - "$epochs" "$words")
            field words/s <<< "$figures" >> "$work/$tool.rate"
            field peak-KiB <<< "$figures" >> "$work/$tool.peak"
            [[ $tool == scion ]] && field training-share <<< "$figures" >> "$work/share"
        done
    done
    echo
    echo "words/s of training, dim $dim, window $window, $negatives negatives, minimum count $mincount, sub-sampling $subsample, rate $rate, $threads threads, $epochs epoch(s) of $words words; medians of $rounds interleaved rounds"
    local mine rate_of
    mine=$(median < "$work/scion.rate")
    printf '%-22s %12s %14s %16s   %s\n' tool words/s "ours / theirs" "peak MiB" "each round, words/s"
    for tool in "${tools[@]}"; do
        rate_of=$(median < "$work/$tool.rate")
        printf '%-22s %12.0f %14.1f %16.0f   %s\n' "$tool" "$rate_of" "$(awk -v a="$mine" -v b="$rate_of" 'BEGIN { print a / b }')" "$(awk -v k="$(median < "$work/$tool.peak")" 'BEGIN { print k / 1024 }')" "$(tr '\n' ' ' < "$work/$tool.rate")"
    done
    echo "memory of ours while it trains, above what was there before, over the two tables [words, dim]: $(median < "$work/share") (the texts' ids, 4 bytes a word, were there before)"

    if [[ $quality != 0 ]]; then
        local vectors=()
        for tool in gensim "${tools[@]}"; do
            [[ $tool == gensim && ${#vectors[@]} -gt 0 || $tool == fasttext_subwords || $tool == plain_c_fast_math ]] && continue
            "run_$tool" "$work/slice.txt" "$work/$tool" "$quality" "$words" > /dev/null
            vectors+=("$work/$tool")
        done
        echo
        echo "vectors of $quality epochs of the same texts; our features and head for all ($labelled)"
        "${ours[@]}" peers quality "$labelled" n=64 draws=20 rows=6000 "${vectors[@]}"
    fi

    [[ $full == no ]] && return
    echo
    echo "all $total words, 5 epochs"
    local whole=(scion)
    [[ $full == all ]] && whole=(scion gensim fasttext)
    for tool in "${whole[@]}"; do
        figures=$("run_$tool" "$work/all.txt" - 5 "$total")
        printf '%-22s %s s, %s words/s, peak %.0f MiB\n' "$tool" "$(field seconds <<< "$figures")" "$(field words/s <<< "$figures")" "$(awk -v k="$(field peak-KiB <<< "$figures")" 'BEGIN { print k / 1024 }')"
        [[ $tool == scion ]] && echo "                       over the two tables: $(field training-share <<< "$figures"); over tables and ids: $(field with-ids-share <<< "$figures")"
    done
}

heads() {
    echo
    echo "heads, 1,000 rows of 100 features (normal noise, classes shifted apart)"
    "${ours[@]}" heads "rounds=$rounds"
}

accuracy() {
    echo
    echo "accuracy at each number of labels: dotnet run --project bench -c Release -- labels $labelled"
    "${ours[@]}" labels "$labelled"
}

case "$what" in
    words) words ;;
    heads) heads ;;
    accuracy) accuracy ;;
    all) words && heads && accuracy ;;
esac
