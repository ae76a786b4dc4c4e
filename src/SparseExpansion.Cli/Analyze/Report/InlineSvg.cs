using System.Globalization;
using System.Xml.Linq;

namespace SparseExpansion.Cli.Analyze.Report;

/// <summary>Embeds an SVG file in an HTML page.</summary>
internal static class InlineSvg
{
    /// <summary>Lets the page set the size, and makes the ids of several pictures distinct.</summary>
    /// <param name="svg">A whole document.</param>
    /// <param name="prefix">Unique on the page.</param>
    public static string From(string svg, string prefix)
    {
        XElement root = XDocument.Parse(svg).Root!;
        string[] ids = [.. root.DescendantsAndSelf().Attributes("id").Select(id => id.Value)];
        foreach (XAttribute attribute in root.DescendantsAndSelf().Attributes())
        {
            attribute.Value = attribute.Name.LocalName == "id" ? prefix + attribute.Value : ids.Aggregate(
                attribute.Value,
                (value, id) => value.Replace($"url(#{id})", $"url(#{prefix}{id})", StringComparison.Ordinal));
        }

        root.SetAttributeValue(
            "viewBox",
            string.Create(CultureInfo.InvariantCulture, $"0 0 {root.Attribute("width")!.Value} {root.Attribute("height")!.Value}"));
        root.SetAttributeValue("role", "img");
        root.SetAttributeValue("width", null);
        root.SetAttributeValue("height", null);
        return root.ToString(SaveOptions.DisableFormatting);
    }
}
