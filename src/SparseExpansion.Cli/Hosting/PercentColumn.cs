using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace SparseExpansion.Cli;

/// <summary>The share that is done, in tenths of a percent: whole ones stand still for long where the work takes hours. Rounded down, as in <see cref="ProgressLines"/>.</summary>
internal sealed class PercentColumn : ProgressColumn
{
    private const int Digits = 7;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
        new Text(string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(task.Percentage * 10) / 10:0.0} %").PadLeft(Digits));

    public override int? GetColumnWidth(RenderOptions options) => Digits;
}
