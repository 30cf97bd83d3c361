"""gensim's skip-gram on a file of words, from its fastest source (corpus_file): seconds of train() alone and peak memory.

gensim_words.py TOKENS OUT dim window negatives epochs mincount subsample rate threads; OUT may be '-'.
"""
import sys
import time

from gensim.models import Word2Vec

tokens, out = sys.argv[1:3]
dim, window, negatives, epochs, least = map(int, sys.argv[3:8])
subsample, rate = map(float, sys.argv[8:10])
threads = int(sys.argv[10])
model = Word2Vec(vector_size=dim, window=window, negative=negatives, min_count=least, sample=subsample, alpha=rate, min_alpha=rate * 1e-4, sg=1, workers=threads, seed=1)
model.build_vocab(corpus_file=tokens)
words = model.corpus_total_words
started = time.perf_counter()
model.train(corpus_file=tokens, total_words=words, total_examples=model.corpus_count, epochs=epochs)
seconds = time.perf_counter() - started
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"seconds {seconds:.3f} words/s {words * epochs / seconds:.0f} peak-KiB {peak}")
if out != "-":
    model.wv.save_word2vec_format(out)
