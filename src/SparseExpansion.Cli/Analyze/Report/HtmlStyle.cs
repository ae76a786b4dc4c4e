using System.Globalization;
using System.Text;
using ScottPlot;
using SparseExpansion.Cli.Analyze.Figures;

namespace SparseExpansion.Cli.Analyze.Report;

/// <summary>The report's style sheet: light or dark like the reader's system, one column on phones.</summary>
internal static class HtmlStyle
{
    private const string Sheet = """
        body { margin: 0 auto; max-width: 82rem; padding: 1rem clamp(.8rem, 3vw, 2.5rem) 4rem; font: 1rem/1.55 system-ui, sans-serif; background: var(--page); color: var(--ink); }
        h1 { font-size: clamp(1.4rem, 5vw, 2.1rem); line-height: 1.2; overflow-wrap: anywhere; }
        h2 { margin: 2.4rem 0 .4rem; font-size: 1.35rem; }
        h3 { margin: 0; font-size: 1.05rem; }
        p { max-width: 52rem; margin: .5rem 0; overflow-wrap: break-word; }
        .small, figcaption { color: var(--gray-text); font-size: .9rem; }
        figure { margin: 0; }
        figcaption { max-width: 52rem; }
        .panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: .8rem; }
        .panels svg { display: block; width: 100%; height: auto; max-width: 40rem; }
        .panels svg:only-child { grid-column: 1 / -1; }
        .panels text { font-family: Arial, "Liberation Sans", Helvetica, sans-serif; }
        .legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; }
        .legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; }
        .claim { margin: .8rem 0; padding: .7rem 1rem; border-left: .35rem solid var(--orange); background: var(--card); border-radius: .4rem; }
        .claim.holds { border-color: var(--green); }
        .claim.doesnothold { border-color: var(--red); }
        .verdict { white-space: nowrap; font-weight: 400; color: var(--gray-text); }
        details { margin-top: .5rem; font-size: .9rem; }
        summary { cursor: pointer; color: var(--gray-text); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .35rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
        th:first-child { text-align: left; font-weight: 500; }
        """;

    private static readonly Dictionary<Color, string> s_names = new()
    {
        [FigureStyle.Ink] = "--ink",
        [FigureStyle.Grid] = "--grid",
        [FigureStyle.Paper] = "--paper",
        [FigureStyle.Gray] = "--gray",
        [FigureStyle.Blue] = "--blue",
        [FigureStyle.Orange] = "--orange",
        [FigureStyle.Green] = "--green",
        [FigureStyle.Purple] = "--purple",
    };

    /// <summary>The CSS variable of a figure's color.</summary>
    public static string Variable(Color color) => s_names[color];

    public static string Create()
    {
        var css = new StringBuilder();
        Append(css, ":root { color-scheme: light dark; --page: #fefefe; --card: #f3f5f8; --gray-text: #57606a; --red: #cf222e;", color => color.Light.ToHex(), " }");
        Append(
            css,
            "@media (prefers-color-scheme: dark) { :root { --page: #0f141b; --card: #1a212b; --gray-text: #9ba5b1; --red: #ff7b72;",
            color => color.Dark,
            " } }");
        css.AppendLine(Sheet);
        foreach ((Color light, _) in FigureStyle.Colors)
        {
            foreach (string attribute in new[] { "fill", "stroke" })
            {
                css.AppendLine(
                    CultureInfo.InvariantCulture,
                    $".panels [{attribute}=\"{light.ToHex()}\" i] {{ {attribute}: var({Variable(light)}); }}");
            }
        }

        return css.ToString();
    }

    private static void Append(
        StringBuilder css, string head, Func<(Color Light, string Dark), string> value, string tail)
    {
        css.Append(head);
        foreach ((Color Light, string Dark) color in FigureStyle.Colors)
        {
            css.Append(CultureInfo.InvariantCulture, $" {Variable(color.Light)}: {value(color)};");
        }

        css.AppendLine(tail);
    }
}
