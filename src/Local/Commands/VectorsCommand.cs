using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Scion.Datasets;
using Scion.Pipelines;
using Scion.Storage;
using Scion.Text;

namespace Scion.Local.Commands;

/// <summary><c>scion encoders vectors FILE…</c>: learns word vectors from all texts of files, labelled or not, to be shipped or imported.</summary>
static class VectorsCommand
{
    const string Model = "vectors";

    public static Command Create()
    {
        Argument<string[]> files = new("FILE") { Description = "Files of texts, as 'train reviews' takes them. Labels are not read.", Arity = ArgumentArity.OneOrMore };
        Option<string> output = new("--out") { Description = "Where vectors.safetensors (8 bits a number), vectors.json and vectors.bin (word2vec) are written.", HelpName = "DIR", DefaultValueFactory = _ => "word-vectors" };
        Option<string> name = new("--name") { Description = "What the vectors are called.", HelpName = "NAME", DefaultValueFactory = _ => "vectors" };
        Option<string> language = new("--language") { Description = "Of the texts; written into the card.", HelpName = "TEXT", DefaultValueFactory = _ => "unknown" };
        Option<string> trainedOn = new("--trained-on") { Description = "What the texts are; written into the card.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<string> licence = new("--licence") { Description = "Written into the card.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<string> measured = new("--measured") { Description = "Where they were measured; written into the card.", HelpName = "TEXT", DefaultValueFactory = _ => "" };
        Option<string[]> set = new("--set") { Description = "A setting as of 'train reviews': columns.text, embedding.dim, seed …", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };
        return new Command("vectors", "Learns word vectors from files of texts, to import or to ship.") { files, output, name, language, trainedOn, licence, measured, set }
            .Does(call => RunAsync(call, call.Get(files)!, call.Get(output)!, call.Get(set)!, new DefaultVectorsCard(call.Get(name)!, call.Get(language)!, call.Get(trainedOn)!,
                string.Join(' ', ["scion", .. call.Parsed.Tokens.Select(token => token.Value.Contains(' ', StringComparison.Ordinal) ? $"\"{token.Value}\"" : token.Value)]),
                0, 0, 0, 0, EmbeddingPresets.Resolve(new ReviewSettings(), 1, 1), 0, call.Get(licence)!, call.Get(measured)!)));
    }

    static async Task<int> RunAsync(Invocation call, string[] files, string output, string[] set, DefaultVectorsCard card)
    {
        KeyValuePair<string, string>[] overrides = [.. set.Select(pair => pair.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair.Length > 1 ? pair[1] : ""))];
        ReviewSettings settings = SettingsFile.Read<ReviewSettings>(null, overrides);
        string[] missing = [.. files.Where(file => !File.Exists(file))];
        if (missing.Length > 0) throw LocalFaults.NoSuchPath(missing[0]);
        string working = Path.Combine(output, "store");
        FileBlobStore store = new(working, call.Time);
        StepMemo memo = new(store);
        foreach (string file in files)
        {
            await using FileStream content = File.OpenRead(file);
            await store.CreateAsync(BlobPath.Of(DataKind.Reviews.Container, $"{Model}/{Path.GetFileName(file)}"), content, call.Cancellation);
        }
        TrainReviewsRequest request = await ReviewSnapshot.TakeAsync(store, Model, overrides, call.Time, call.Cancellation);
        List<IngestedFile> ingested = [];
        foreach (PinnedFile file in request.Files)
        {
            ingested.Add(await new IngestReviewsStep(memo).RunAsync(new IngestReviewsInput(file, settings), null, call.Cancellation));
            call.Screen.Note($"{file.Name}: {ingested[^1].Rows:N0} texts, {ingested[^1].Refused:N0} refused");
        }

        Dictionary<string, long> counts = new(StringComparer.Ordinal);
        long tokens = 0, texts = 0;
        await foreach (string text in TextsAsync(store, ingested, call.Cancellation))
        {
            texts++;
            foreach (string word in Tokenizer.Words(text))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, word, out _)++;
                tokens++;
            }
        }
        EmbeddingOptions options = EmbeddingPresets.Resolve(settings, tokens, Environment.ProcessorCount);
        Vocabulary vocabulary = Vocabulary.Of(counts, options.MinCount);
        if (vocabulary.Count == 0) throw TextFaults.NoWords(texts, options.MinCount);
        TokenCorpus.Builder corpus = new(vocabulary, tokens);
        await foreach (string text in TextsAsync(store, ingested, call.Cancellation)) corpus.Add(text);
        call.Screen.Note($"{tokens:N0} words, {vocabulary.Count:N0} distinct ones kept; {options.Epochs} passes, dimension {options.Dim}, {options.Threads} thread{(options.Threads == 1 ? "" : "s")}");
        TrainedVectors trained = await Task.Run(() => TorchBuild.Trainers.Train(corpus.Build(), vocabulary, options, null, call.Cancellation), call.Cancellation);

        WordTable table = new(vocabulary, options.Dim, trained.Vectors);
        byte[] bytes = DefaultVectors.Write(table);
        card = card with { Texts = texts, Tokens = tokens, Words = vocabulary.Count, Dim = options.Dim, Options = options, Loss = trained.Loss };
        await File.WriteAllBytesAsync(Path.Combine(output, "vectors.safetensors"), bytes, call.Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(output, "vectors.json"), JsonSerializer.SerializeToUtf8Bytes(card, ScionJson.Indented), call.Cancellation);
        await using (FileStream binary = File.Create(Path.Combine(output, "vectors.bin")))
            WordVectorFile.Write(binary, vocabulary.Words, DefaultVectors.Read(bytes).Vectors, options.Dim, WordVectorFormat.Word2VecBinary);
        Directory.Delete(working, recursive: true);
        call.Screen.Document(new { card, bytes = bytes.Length, folder = output });
        call.Screen.Line(string.Create(CultureInfo.InvariantCulture, $"{vocabulary.Count:N0} words × {options.Dim}, {bytes.Length / 1e6:0.0} MB, loss {trained.Loss:0.000} nats a pair").ToString());
        call.Screen.Line($"Train with them: scion encoders import {Path.Combine(output, "vectors.bin")}");
        return Exit.Done;
    }

    static async IAsyncEnumerable<string> TextsAsync(IBlobStore store, IReadOnlyList<IngestedFile> files, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (IngestedFile file in files)
            foreach (ShardRef shard in file.Shards)
                foreach (ReviewRow row in ReviewShard.Read(await store.ReadAsync(shard.Rows, cancellation))) yield return row.Text;
    }
}
