using Scion.Datasets;
using Scion.Heads;
using Scion.Pipelines;
using Scion.Storage;

namespace Scion.Evaluation;

/// <summary>Measures all candidates on rows they were not fitted on, and compares them.</summary>
/// <remarks>Reads: row table, held-out predictions and validation of the candidates, features of transfer; of suspects, their shards. Writes:
/// nothing of its own. Randomness: the seed in the settings. Clock: none. The answer does not depend on the number of threads.</remarks>
public sealed class EvaluateStep(StepMemo memo)
{
    const int Version = 2;

    /// <summary>Most label suspects listed.</summary>
    public const int MostSuspects = 50;

    /// <summary>A prediction less sure than the first never makes a label suspect; one surer than the second always does.</summary>
    const double SuspectFrom = 0.8, SuspectAlways = 0.9;

    /// <exception cref="Faults.InputRejectedException">A candidate is missing or measured other rows (E001, E002), features differ (H003), or an
    /// input is damaged (S003, S004, S006, S007).</exception>
    public Task<Evaluated> RunAsync(EvaluateInput input, IProgress<StepProgress>? progress, CancellationToken cancellation) =>
        memo.RunAsync(nameof(EvaluateStep), Version, input, async _ =>
        {
            RowTable table = RowTable.Parse(await memo.Store.ReadAsync(input.Data.Rows, cancellation));
            int classes = input.Data.Labels.Count;
            int[] labels = [.. table.Labelled.Select(row => row.Label)];
            int[] train = [.. Enumerable.Range(0, labels.Length).Where(row => table.Labelled[row].Use == RowUse.Train)];

            List<(string Name, HeadsTrained Candidate, Votes Votes)> measured = [];
            (CandidateKind, string) classic = input.Data.Kind == DataKind.Reviews ? (CandidateKind.BagOfWords, "bag-of-words") : (CandidateKind.Pixels, "pixels");
            foreach ((CandidateKind kind, string name) in new[] { classic, (CandidateKind.Scratch, "scratch"), (CandidateKind.Transfer, "transfer") })
            {
                HeadsTrained candidate = input.Candidates.FirstOrDefault(of => of.Kind == kind) ?? throw EvaluationFaults.Missing(name);
                HeldOutPredictions held = HeldOutPredictions.Parse(await memo.Store.ReadAsync(candidate.Predictions, cancellation));
                Votes votes = Votes.Of(held, labels, candidate.Temperature);
                if (measured.Count > 0 && !votes.Rows.AsSpan().SequenceEqual(measured[0].Votes.Rows))
                    throw EvaluationFaults.OtherRows(name, votes.Rows.Length, measured[0].Name, measured[0].Votes.Rows.Length);
                measured.Add((name, candidate, votes));
            }
            (HeadsTrained transfer, Votes transferred) = (measured[^1].Candidate, measured[^1].Votes);
            int majority = train.GroupBy(row => labels[row]).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First().Key;
            (string Name, Votes Votes)[] all = [("majority", Votes.Constant(transferred.Rows, transferred.Truth, classes, majority)), .. measured.Select(m => (m.Name, m.Votes))];
            ModelMetrics[] models = [.. all.Select(m => ClassificationMetrics.Measure(m.Name, m.Votes, input.Data.Labels, input.Settings.Seed))];
            PairedTest[] comparisons = [.. all[..^1].Select(m => McNemar.Compare("transfer", m.Name, transferred.Right(), m.Votes.Right()))];
            progress?.Report(new StepProgress(nameof(ITrainingSteps.Evaluate), 1, 3, "parts"));

            HeadSpace space = await HeadSpace.ReadAsync(memo.Store, input.Data, table, input.Sets.First(set => set.Name == transfer.Set), cancellation);
            (IReadOnlyList<LearningPoint> curve, double abstainBelow) = await Task.Run(() =>
                (Curve(input, space.Matrix, labels, train, transferred.Rows, models[^1].Accuracy, cancellation), NearestTraining.Threshold(space.Stored, train, cancellation)), cancellation);
            progress?.Report(new StepProgress(nameof(ITrainingSteps.Evaluate), 2, 3, "parts"));

            IReadOnlyList<LabelSuspect> suspects = await SuspectsAsync(input, table, labels, transfer, transferred, cancellation);
            string[] warnings = [.. input.Candidates.SelectMany(candidate => candidate.Warnings),
                .. EvaluationWarnings.Of(input.Data, models, comparisons, suspects.Count)];
            return new Evaluated(input.Data.Protocol, models, comparisons, curve, transfer.Temperature, abstainBelow, suspects, transfer.Head,
                transfer.Strength, transfer.HeadParameters, transfer.Fitted ?? throw EvaluationFaults.Missing("transfer's head"), transfer.Predictions, warnings)
            {
                Lexicon = transfer.Lexicon, Set = transfer.Set, Scores = transfer.Scores,
            };
        }, cancellation);

    /// <summary>Same test rows, or under cross-validation the same folds, a repeat a draw; last all training rows, as measured. The layer is the one
    /// chosen on all training rows.</summary>
    static IReadOnlyList<LearningPoint> Curve(
        EvaluateInput input, FeatureMatrix features, int[] labels, int[] train, int[] test, Figure accuracy, CancellationToken cancellation)
    {
        int classes = input.Data.Labels.Count, seed = input.Settings.Seed;
        bool held = input.Data.Protocol != Protocol.CrossValidation;
        IReadOnlyList<LearningPoint> curve = LearningCurve.Measure(features, labels, classes, draw => held ? [(train, test)]
            : [.. TrainHeadsStep.CrossValidationFolds(train, labels, classes, seed, draw).Select(fold => (train.Except(fold).ToArray(), fold))],
            input.Settings.Head, seed, cancellation);
        return [.. curve, new LearningPoint((int)Math.Round(train.Length / (double)classes), accuracy)];
    }

    /// <summary>Rows whose label a head not fitted on them contradicts.</summary>
    /// <remarks>Source: Northcutt, Jiang, Chuang 2021, "Confident learning": the other class must be as sure as it is, on average, of its own rows,
    /// but no less sure than <see cref="SuspectFrom"/> and no surer than <see cref="SuspectAlways"/>: where classes lie far apart, half of their
    /// own rows are below their average.</remarks>
    async Task<IReadOnlyList<LabelSuspect>> SuspectsAsync(
        EvaluateInput input, RowTable table, int[] labels, HeadsTrained transfer, Votes held, CancellationToken cancellation)
    {
        HeldOutPredictions validation = HeldOutPredictions.Parse(await memo.Store.ReadAsync(transfer.Validation, cancellation));
        // Under cross-validation the held-out rows are the training rows, judged more strictly; validation would only repeat them.
        Votes[] judged = input.Data.Protocol == Protocol.CrossValidation ? [held] : [held, Votes.Of(validation, labels, transfer.Temperature)];
        int classes = held.Classes;
        double[] sure = new double[classes], rows = new double[classes];
        foreach (Votes votes in judged)
            for (int i = 0; i < votes.Rows.Length; i++)
            {
                sure[votes.Truth[i]] += votes.Probabilities[(i * classes) + votes.Truth[i]];
                rows[votes.Truth[i]]++;
            }
        List<(int Row, int Predicted, double Score)> found = [];
        foreach (Votes votes in judged)
            for (int i = 0; i < votes.Rows.Length; i++)
            {
                int said = votes.Prediction(i);
                double score = votes.Probabilities[(i * classes) + said];
                double needed = rows[said] == 0 ? 1 : Math.Clamp(sure[said] / rows[said], SuspectFrom, SuspectAlways);
                if (said != votes.Truth[i] && score >= needed) found.Add((votes.Rows[i], said, score));
            }
        Dictionary<int, (int Predicted, double Score)> worst = found.OrderByDescending(suspect => suspect.Score).ThenBy(suspect => suspect.Row).Take(MostSuspects)
            .ToDictionary(suspect => suspect.Row, suspect => (suspect.Predicted, suspect.Score));

        IngestedFile[] fileOf = [.. input.Files.SelectMany(file => file.Shards.Select(_ => file))];
        List<(LabelSuspect Suspect, int Row)> suspects = [];
        foreach (IGrouping<int, int> shard in worst.Keys.Order().GroupBy(row => table.Labelled[row].Shard))
        {
            Dictionary<int, int> wanted = shard.ToDictionary(row => table.Labelled[row].Row);
            int at = 0;
            if (input.Data.Kind == DataKind.Images)
            {
                foreach (IndexedPicture picture in await PictureIndex.ReadAsync(memo.Store, input.Data.Shards[shard.Key], cancellation))
                    if (wanted.TryGetValue(at++, out int row))
                        suspects.Add((new LabelSuspect(picture.Name, 0, input.Data.Labels[labels[row]], input.Data.Labels[worst[row].Predicted], worst[row].Score), row));
                continue;
            }
            foreach (ReviewRow review in ReviewShard.Read(await memo.Store.ReadAsync(input.Data.Shards[shard.Key].Rows, cancellation)))
                if (wanted.TryGetValue(at++, out int row))
                    suspects.Add((new LabelSuspect(NameOf(shard.Key < fileOf.Length ? fileOf[shard.Key] : null, review.File), review.Line,
                        input.Data.Labels[labels[row]], input.Data.Labels[worst[row].Predicted], worst[row].Score), row));
        }
        return [.. suspects.OrderByDescending(suspect => suspect.Suspect.Score).ThenBy(suspect => suspect.Row).Select(suspect => suspect.Suspect)];
    }

    static string NameOf(IngestedFile? file, int part) =>
        file is null ? "" : file.Parts.Count > 1 && part < file.Parts.Count ? $"{file.Name}/{file.Parts[part].Name}" : file.Name;
}
