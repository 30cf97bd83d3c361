/* Plain skip-gram with negative sampling, a pair at a time: what bench/peers.sh measures ours against. Compiled with gcc -O3 -march=native -pthread -lm.
   The algorithm is that of Mikolov et al. 2013 (arXiv:1310.4546): noise drawn for each pair, sigmoid from a table of 1,000 values clipped at 6, threads
   without locks. Usage: skipgram TOKENS OUT dim window negatives epochs mincount subsample rate threads */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NOISE = 100000000 / 10, SIGMOIDS = 1000, MOST_SIGMOID = 6, LONGEST = 1 << 14 };

typedef struct { char *text; long count; } Word;

static Word *words;
static long vocabulary, capacity, *slots, slot_count = 1 << 16;
static int *ids, *noise, dim, window, negatives, epochs, threads;
static long *starts, texts, tokens, all_words, done;
static float *input, *output, sigmoids[SIGMOIDS], rate0;
static double *keep;

static unsigned long hash_of(const char *text) {
    unsigned long h = 1469598103934665603UL;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211UL;
    return h;
}

static long slot_of(const char *text) {
    long at = hash_of(text) & (slot_count - 1);
    while (slots[at] >= 0 && strcmp(words[slots[at]].text, text)) at = (at + 1) & (slot_count - 1);
    return at;
}

static void index_words(void) {
    free(slots);
    slots = malloc(slot_count * sizeof *slots);
    for (long i = 0; i < slot_count; i++) slots[i] = -1;
    for (long i = 0; i < vocabulary; i++) slots[slot_of(words[i].text)] = i;
}

static void count_word(const char *text) {
    long at = slot_of(text);
    all_words++;
    if (slots[at] >= 0) { words[slots[at]].count++; return; }
    if (vocabulary == capacity) words = realloc(words, (capacity = capacity * 2 + 1024) * sizeof *words);
    words[vocabulary] = (Word){ strdup(text), 1 };
    slots[at] = vocabulary++;
    if (vocabulary * 2 > slot_count) { slot_count *= 4; index_words(); }
}

static int by_count(const void *a, const void *b) {
    long x = ((const Word *)a)->count, y = ((const Word *)b)->count;
    return x < y ? 1 : x > y ? -1 : strcmp(((const Word *)a)->text, ((const Word *)b)->text);
}

/* Next word of the file in text, or 0 at its end; *line is set after the last word of a line. */
static int read_word(FILE *file, char *text, int *line) {
    int n = 0, c;
    *line = 0;
    while ((c = getc_unlocked(file)) != EOF) {
        if (c == ' ' || c == '\n') {
            if (c == '\n') *line = 1;
            break;
        }
        if (n < 255) text[n++] = (char)c;
    }
    text[n] = 0;
    return n > 0 || c != EOF;
}

static void *train(void *argument) {
    long worker = (long)argument, first = texts * worker / threads, last = texts * (worker + 1) / threads, seen = 0, total = tokens * epochs;
    uint64_t random = worker * 7919 + 1;
    float pull[1024], rate = rate0;
    int text[LONGEST];
#define NEXT (random = random * 25214903917UL + 11)
    for (int epoch = 0; epoch < epochs; epoch++)
        for (long t = first; t < last; t++) {
            int length = 0;
            for (long i = starts[t]; i < starts[t + 1] && length < LONGEST; i++)
                if (keep[ids[i]] >= (NEXT >> 16 & 0xFFFF) / 65536.0) text[length++] = ids[i];
            if ((seen += starts[t + 1] - starts[t]) > 10000) {
                long now = __atomic_add_fetch(&done, seen, __ATOMIC_RELAXED);
                seen = 0;
                rate = rate0 * (float)fmax(1e-4, 1 - (double)now / total);
            }
            for (int at = 0; at < length; at++) {
                int span = 1 + (int)((NEXT >> 16) % window), from = at - span < 0 ? 0 : at - span, to = at + span >= length ? length - 1 : at + span;
                for (int c = from; c <= to; c++) {
                    if (c == at) continue;
                    float *u = input + (long)text[c] * dim;
                    for (int j = 0; j < dim; j++) pull[j] = 0;
                    for (int k = 0; k <= negatives; k++) {
                        int id = k == 0 ? text[at] : noise[(NEXT >> 16) % NOISE];
                        if (k > 0 && id == text[at]) continue;
                        float *v = output + (long)id * dim, logit = 0, g;
                        for (int j = 0; j < dim; j++) logit += u[j] * v[j];
                        if (logit >= MOST_SIGMOID) g = rate * ((k == 0) - 1);
                        else if (logit <= -MOST_SIGMOID) g = rate * (k == 0);
                        else g = rate * ((k == 0) - sigmoids[(int)((logit + MOST_SIGMOID) * (SIGMOIDS / MOST_SIGMOID / 2))]);
                        for (int j = 0; j < dim; j++) pull[j] += g * v[j];
                        for (int j = 0; j < dim; j++) v[j] += g * u[j];
                    }
                    for (int j = 0; j < dim; j++) u[j] += pull[j];
                }
            }
        }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 11) return fprintf(stderr, "skipgram TOKENS OUT dim window negatives epochs mincount subsample rate threads\n"), 2;
    dim = atoi(argv[3]), window = atoi(argv[4]), negatives = atoi(argv[5]), epochs = atoi(argv[6]), threads = atoi(argv[10]);
    long least = atol(argv[7]);
    double subsample = atof(argv[8]);
    rate0 = (float)atof(argv[9]);
    char text[256];
    int line;
    FILE *file = fopen(argv[1], "r");
    if (!file || dim > 1024) return perror(argv[1]), 1;
    index_words();
    while (read_word(file, text, &line)) if (*text) count_word(text);
    qsort(words, vocabulary, sizeof *words, by_count);
    while (vocabulary > 0 && words[vocabulary - 1].count < least) free(words[--vocabulary].text);
    index_words();
    for (long i = 0; i < vocabulary; i++) tokens += words[i].count;
    ids = malloc(tokens * sizeof *ids);
    long lines = 0, n = 0;
    rewind(file);
    for (int c; (c = getc_unlocked(file)) != EOF;) lines += c == '\n';
    starts = calloc(lines + 2, sizeof *starts);
    rewind(file);
    while (read_word(file, text, &line)) {
        long at = *text ? slots[slot_of(text)] : -1;
        if (at >= 0) ids[n++] = (int)at;
        if (line) starts[++texts] = n;
    }
    fclose(file);

    input = malloc(vocabulary * dim * sizeof *input), output = calloc(vocabulary * dim, sizeof *output);
    keep = malloc(vocabulary * sizeof *keep), noise = malloc((size_t)NOISE * sizeof *noise);
    uint64_t random = 1;
    for (long i = 0; i < vocabulary * dim; i++) input[i] = ((NEXT >> 16 & 0xFFFF) / 65536.0f - 0.5f) / dim;
    for (int i = 0; i < SIGMOIDS; i++) sigmoids[i] = 1 / (1 + expf(-((i + 0.5f) / SIGMOIDS * 2 - 1) * MOST_SIGMOID));
    double sum = 0, so_far = 0;
    for (long i = 0; i < vocabulary; i++) sum += pow(words[i].count, 0.75);
    for (long i = 0, at = 0; i < vocabulary; i++) {
        double ratio = subsample * tokens / words[i].count;
        keep[i] = subsample > 0 ? sqrt(ratio) + ratio : 1;
        so_far += pow(words[i].count, 0.75) / sum;
        while (at < NOISE && (at < so_far * NOISE || i == vocabulary - 1)) noise[at++] = (int)i;
    }
    struct timespec a, b;
    pthread_t thread[256];
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (long i = 0; i < threads; i++) pthread_create(&thread[i], NULL, train, (void *)i);
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double seconds = (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) * 1e-9;
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(text, sizeof text, status)) sscanf(text, "VmHWM: %ld", &peak);
    printf("seconds %.3f words/s %.0f peak-KiB %ld\n", seconds, all_words * epochs / seconds, peak);
    if (!strcmp(argv[2], "-")) return 0;
    FILE *out = fopen(argv[2], "w");
    fprintf(out, "%ld %d\n", vocabulary, dim);
    for (long i = 0; i < vocabulary; i++) {
        fputs(words[i].text, out);
        for (int j = 0; j < dim; j++) fprintf(out, " %.6g", input[i * dim + j]);
        fputc('\n', out);
    }
    return fclose(out);
}
