using System.Globalization;
using System.Text;
using Scion.Evaluation;

namespace Scion.Registry;

/// <summary>The report's plots as inline SVG: no script, colours from the page's style, a title and a description for screen readers.</summary>
/// <remarks>Units are those of a view box 460 wide, so that text stays readable at the width of a telephone.</remarks>
static class ReportPlots
{
    const int Width = 460;

    /// <summary>Classes up to which the confusion matrix is drawn; above, only the largest confusions are listed.</summary>
    public const int MaxDrawnClasses = 60;

    /// <summary>Accuracy and interval of each model, one line each, on a scale from 0 to 100 %.</summary>
    public static string Accuracies(IReadOnlyList<(string Name, Figure Accuracy, bool Own)> models)
    {
        const int left = 130, right = 360, row = 34, top = 10;
        int bottom = top + row * models.Count;
        StringBuilder svg = Open("accuracies", Width, bottom + 24, "Accuracy of each model",
            string.Join("; ", models.Select(m => $"{m.Name}: {ReportText.Interval(m.Accuracy)}")));
        for (int percent = 0; percent <= 100; percent += 25)
        {
            double x = left + (right - left) * percent / 100.0;
            Line(svg, "grid", x, top - 4, x, bottom);
            Text(svg, "soft", x, bottom + 16, "middle", $"{percent} %");
        }
        for (int i = 0; i < models.Count; i++)
        {
            (string name, Figure accuracy, bool own) = models[i];
            double y = top + row * i + row / 2.0;
            svg.Append(own ? "<g class=\"own\">" : "<g>");
            Text(svg, null, 0, y + 4, "start", name);
            Line(svg, "range", At(accuracy.Low), y, At(accuracy.High), y);
            Line(svg, "range", At(accuracy.Low), y - 5, At(accuracy.Low), y + 5);
            Line(svg, "range", At(accuracy.High), y - 5, At(accuracy.High), y + 5);
            Dot(svg, At(accuracy.Value), y, 5, $"{name}: {ReportText.Interval(accuracy)}");
            Text(svg, null, Width, y + 4, "end", ReportText.Percent(accuracy.Value));
            svg.Append("</g>");
        }
        return Close(svg);

        static double At(double share) => left + (right - left) * Math.Clamp(share, 0, 1);
    }

    /// <summary>Rows by true class (down) and predicted class (across), shaded by share of the true class.</summary>
    /// <param name="labels">At most <see cref="MaxDrawnClasses"/>.</param>
    /// <param name="confusion">[true, predicted] row counts.</param>
    public static string Confusion(IReadOnlyList<string> labels, IReadOnlyList<IReadOnlyList<int>> confusion)
    {
        int classes = labels.Count, names = classes > 16 ? 14 : 18;
        double cell = classes <= 4 ? 58 : classes <= 8 ? 40 : classes <= 16 ? 28 : 20;
        double left = 130, top = classes <= 4 ? 44 : 110, size = cell * classes;
        StringBuilder svg = Open("confusion", Math.Max(Width, left + size + (classes <= 4 ? 20 : 90)), top + size + 8, "Confusion matrix",
            "Rows are the true class, columns the predicted class. The largest confusions are listed below the picture.", classes > 16 ? "wide" : null);
        Text(svg, "soft", left, 12, "start", "predicted →");
        Text(svg, "soft", left - 8, top - 8, "end", "true ↓");
        for (int c = 0; c < classes; c++)
        {
            string name = ReportText.Cut(labels[c], names);
            Text(svg, null, left - 8, top + cell * (c + 0.5) + 4, "end", name, labels[c]);
            double x = left + cell * (c + 0.5);
            if (classes <= 4) Text(svg, null, x, top - 8, "middle", ReportText.Cut(labels[c], 9), labels[c]);
            else Text(svg, null, x + 4, top - 6, "start", name, labels[c], $" transform=\"rotate(-55 {N(x + 4)} {N(top - 6)})\"");
        }
        for (int t = 0; t < classes; t++)
        {
            int rows = confusion[t].Sum();
            for (int p = 0; p < classes; p++)
            {
                double share = rows == 0 ? 0 : (double)confusion[t][p] / rows, x = left + cell * p, y = top + cell * t;
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"cell\" x=\"{N(x)}\" y=\"{N(y)}\" width=\"{N(cell)}\" height=\"{N(cell)}\" fill-opacity=\"{share:0.###}\"><title>")
                    .Append(ReportText.Html($"true {labels[t]}, predicted {labels[p]}: {ReportText.Number(confusion[t][p])} of {ReportText.Number(rows)}")).Append("</title></rect>");
                if (cell < 28 || (confusion[t][p] == 0 && classes > 4)) continue;
                Text(svg, null, x + cell / 2, y + cell / 2 + 4, "middle", Short(confusion[t][p]));
            }
        }
        return Close(svg);
    }

    /// <summary>Accuracy over labels per class (a logarithmic axis), with its interval as a band.</summary>
    /// <param name="points">At least two, by rising number of labels.</param>
    /// <param name="majority">Accuracy of the majority class, drawn as a dashed line.</param>
    public static string Learning(IReadOnlyList<LearningPoint> points, double majority)
    {
        const int left = 48, right = 440, top = 12, bottom = 210;
        double low = Math.Floor(Math.Min(majority, points.Min(p => p.Accuracy.Low)) * 10) / 10, high = Math.Min(1, Math.Ceiling(points.Max(p => p.Accuracy.High) * 10) / 10);
        if (high - low < 0.1) low = Math.Max(0, high - 0.1);
        double first = Math.Log(points[0].LabelsPerClass), last = Math.Max(first + 1e-9, Math.Log(points[^1].LabelsPerClass));
        StringBuilder svg = Open("learning", Width, bottom + 42, "Learning curve",
            string.Join("; ", points.Select(p => $"{ReportText.Number(p.LabelsPerClass)} labels a class: {ReportText.Interval(p.Accuracy)}")));
        Scale(svg, low, high, left, right, Y);
        svg.Append("<polygon class=\"band\" points=\"");
        foreach (LearningPoint p in points) svg.Append(CultureInfo.InvariantCulture, $"{N(X(p))},{N(Y(p.Accuracy.High))} ");
        foreach (LearningPoint p in points.Reverse()) svg.Append(CultureInfo.InvariantCulture, $"{N(X(p))},{N(Y(p.Accuracy.Low))} ");
        svg.Append("\"/><polyline class=\"curve\" points=\"");
        foreach (LearningPoint p in points) svg.Append(CultureInfo.InvariantCulture, $"{N(X(p))},{N(Y(p.Accuracy.Value))} ");
        svg.Append("\"/><g class=\"own\">");
        double written = double.NegativeInfinity;
        foreach (LearningPoint p in points)
        {
            Dot(svg, X(p), Y(p.Accuracy.Value), 4, $"{ReportText.Number(p.LabelsPerClass)} labels a class: {ReportText.Interval(p.Accuracy)}");
            if (X(p) - written < 34) continue;
            Text(svg, "soft", written = X(p), bottom + 16, "middle", ReportText.Number(p.LabelsPerClass));
        }
        svg.Append("</g>");
        Line(svg, "ideal", left, Y(majority), right, Y(majority));
        Text(svg, "soft", (left + right) / 2.0, bottom + 34, "middle", "labels a class");
        return Close(svg);

        double X(LearningPoint p) => left + 16 + (right - left - 32) * (Math.Log(p.LabelsPerClass) - first) / (last - first);
        double Y(double share) => bottom - (bottom - top) * (Math.Clamp(share, low, high) - low) / (high - low);
    }

    /// <summary>How often it is right (up) when it is so sure (across); on the dashed line the two agree.</summary>
    public static string Calibration(IReadOnlyList<CalibrationBin> bins)
    {
        const int left = 48, right = 330, top = 12, bottom = 294;
        double low = Math.Floor(Math.Min(bins.Min(b => b.Confidence), bins.Min(b => b.Accuracy.Low)) * 10) / 10;
        if (low > 0.9) low = 0.9;
        StringBuilder svg = Open("calibration", Width, bottom + 42, "Calibration",
            string.Join("; ", bins.Select(b => $"says {ReportText.Percent(b.Confidence)}, right on {ReportText.Interval(b.Accuracy)} of {ReportText.Number(b.Rows)} rows")));
        Scale(svg, low, 1, left, right, Y);
        foreach (double share in Ticks(low, 1)) Text(svg, "soft", X(share), bottom + 16, "middle", ReportText.Whole(share));
        Line(svg, "ideal", X(low), Y(low), X(1), Y(1));
        svg.Append("<g class=\"own\">");
        foreach (CalibrationBin bin in bins)
        {
            Line(svg, "range", X(bin.Confidence), Y(bin.Accuracy.Low), X(bin.Confidence), Y(bin.Accuracy.High));
            Dot(svg, X(bin.Confidence), Y(bin.Accuracy.Value), 5, $"says {ReportText.Percent(bin.Confidence)}, right on {ReportText.Interval(bin.Accuracy)} of {ReportText.Number(bin.Rows)} rows");
        }
        svg.Append("</g>");
        Text(svg, "soft", (left + right) / 2.0, bottom + 34, "middle", "how sure it says it is");
        return Close(svg);

        double X(double share) => left + (right - left) * (Math.Clamp(share, low, 1) - low) / (1 - low);
        double Y(double share) => bottom - (bottom - top) * (Math.Clamp(share, low, 1) - low) / (1 - low);
    }

    static void Scale(StringBuilder svg, double low, double high, double left, double right, Func<double, double> y)
    {
        foreach (double share in Ticks(low, high))
        {
            Line(svg, "grid", left, y(share), right, y(share));
            Text(svg, "soft", left - 6, y(share) + 4, "end", ReportText.Whole(share));
        }
    }

    /// <summary>Round shares from <paramref name="low"/> to <paramref name="high"/>, both multiples of 10 %: at most six.</summary>
    static IEnumerable<double> Ticks(double low, double high)
    {
        int from = (int)Math.Round(low * 20), to = (int)Math.Round(high * 20), step = to - from <= 4 ? 1 : to - from <= 10 ? 2 : 4;
        for (int twentieth = to; twentieth >= from; twentieth -= step) yield return twentieth / 20.0;
    }

    static StringBuilder Open(string id, double width, double height, string title, string description, string? style = null)
    {
        StringBuilder svg = new();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {N(width)} {N(height)}\" role=\"img\" aria-labelledby=\"{id}-title {id}-description\"");
        if (style is not null) svg.Append(CultureInfo.InvariantCulture, $" class=\"{style}\" style=\"min-width:{N(width)}px\"");
        return svg.Append(CultureInfo.InvariantCulture, $"><title id=\"{id}-title\">{ReportText.Html(title)}</title><desc id=\"{id}-description\">{ReportText.Html(description)}</desc>");
    }

    static string Close(StringBuilder svg) => svg.Append("</svg>\n").ToString();

    static void Line(StringBuilder svg, string style, double x1, double y1, double x2, double y2) =>
        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"{style}\" x1=\"{N(x1)}\" y1=\"{N(y1)}\" x2=\"{N(x2)}\" y2=\"{N(y2)}\"/>");

    static void Dot(StringBuilder svg, double x, double y, double radius, string title) =>
        svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"mark\" cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"{N(radius)}\"><title>{ReportText.Html(title)}</title></circle>");

    static void Text(StringBuilder svg, string? style, double x, double y, string anchor, string text, string? title = null, string attributes = "")
    {
        svg.Append("<text");
        if (style is not null) svg.Append(CultureInfo.InvariantCulture, $" class=\"{style}\"");
        svg.Append(CultureInfo.InvariantCulture, $" x=\"{N(x)}\" y=\"{N(y)}\" text-anchor=\"{anchor}\"{attributes}>");
        if (title is not null && title != text) svg.Append("<title>").Append(ReportText.Html(title)).Append("</title>");
        svg.Append(ReportText.Html(text)).Append("</text>");
    }

    static string Short(int count) => count < 10_000 ? ReportText.Number(count) : string.Create(CultureInfo.InvariantCulture, $"{count / 1000.0:0}k");

    static string N(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
