using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SparseExpansion.Cli.Hosting;

/// <summary>
/// Percentage done, with one decimal, so that it moves even if the work takes hours. Rounded down, as in
/// <see cref="ProgressLines"/>.
/// </summary>
internal sealed class PercentColumn : ProgressColumn
{
    private const int Digits = 7;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(task.Percentage * 10) / 10:0.0} %").PadLeft(Digits));

    public override int? GetColumnWidth(RenderOptions options) => Digits;
}
