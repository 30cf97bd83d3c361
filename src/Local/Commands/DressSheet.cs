using System.Globalization;
using System.Net;
using System.Text;
using Scion.Demo;
using Scion.Serving;

namespace Scion.Local.Commands;

/// <summary>A page with the test dresses that look most alike, and what the model says of each.</summary>
static class DressSheet
{
    /// <param name="pool">The pictures.</param>
    /// <param name="pairs">What is shown.</param>
    /// <param name="predictions">By picture.</param>
    public static string Html(DressPool pool, IReadOnlyList<(int BlueBlack, int WhiteGold)> pairs, IReadOnlyDictionary<int, Prediction> predictions)
    {
        StringBuilder html = new("""
            <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Dresses</title>
            <style>
            body{font:15px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222;background:#fff}
            main{display:grid;grid-template-columns:repeat(auto-fill,minmax(26rem,1fr));gap:1.5rem}
            section{display:flex;gap:.75rem}figure{margin:0;flex:1}img{width:100%;border-radius:4px;display:block}
            figcaption{padding:.35rem 0}b.wrong{color:#b00020}i{display:inline-block;width:1em;height:1em;vertical-align:-.15em;border:1px solid #999}small{color:#666}
            </style><h1>Which dress is blue and black?</h1>
            <p>Test dresses, drawn by a formula, in pairs whose colours on the picture are most alike. In each pair the left one is blue with black lace,
            the right one white with gold. Below each: what the model says, the mean colours of its cloth and lace, and the light it hangs in, which the model is not told.</p><main>

            """);
        foreach ((int blue, int white) in pairs)
        {
            html.Append("<section>");
            foreach (int i in new[] { blue, white })
            {
                Prediction said = predictions[i];
                bool right = said.Label == DressDemo.LabelOf(pool, i);
                (string cloth, string lace) = (DressDemo.Hex(pool.LooksOf(i).Cloth), DressDemo.Hex(pool.LooksOf(i).Lace));
                html.Append(CultureInfo.InvariantCulture, $"""
                    <figure><img alt="a dress" src="data:image/png;base64,{Convert.ToBase64String(pool.Files[i])}"><figcaption>
                    {(right ? "" : "wrong: ")}<b class="{(right ? "right" : "wrong")}">{WebUtility.HtmlEncode(said.Label)}</b> {100 * said.Score:0.0} %<br>
                    <small><i style="background:{cloth}"></i> {cloth} <i style="background:{lace}"></i> {lace}<br>{pool.LooksOf(i).Kelvin:0} K</small></figcaption></figure>
                    """);
            }
            html.Append("</section>\n");
        }
        return html.Append("</main></html>\n").ToString();
    }
}
