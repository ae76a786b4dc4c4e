namespace SparseExpansion.Testing.Folders;

/// <summary>
/// The order in which the folders of a project stand upon each other, at every level: a file of lines
/// <c>parent: first second third</c>, from the
/// bottom up. A folder uses those before it. <c>.</c> stands for the files of the parent itself and for the project
/// folder; <c>*</c> in its place says that these files are the entry to the folders beside them and the ground that they
/// stand on: they may use all, and be used by all.
/// </summary>
public sealed class FolderOrder
{
    private const string Own = ".";
    private const string Open = "*";

    private readonly Dictionary<string, string[]> _order = [];
    private readonly HashSet<string> _open = [];

    /// <summary>Reads the declaration.</summary>
    /// <param name="lines">The file's lines; those that begin with # say why.</param>
    public FolderOrder(IEnumerable<string> lines)
    {
        foreach (string[] parts in lines.Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(':', 2)))
        {
            string parent = parts[0] == Own ? "" : parts[0];
            string[] names = parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (names.Contains(Open))
            {
                _open.Add(parent);
            }

            _order.Add(parent, [.. names.Select(name => name == Open ? Own : name)]);
        }
    }

    /// <summary>
    /// Differences between the declaration and the folders: a parent or a folder that only one of them has.
    /// </summary>
    /// <param name="tree">The project.</param>
    public IEnumerable<string> Differences(SourceTree tree)
    {
        Dictionary<string, HashSet<string>> found = tree.Folders.GroupBy(Parent).ToDictionary(
            group => group.Key,
            group => group.Select(Name).Concat(tree.Files.Any(file => file.Folder == group.Key) ? [Own] : []).ToHashSet());
        foreach (string parent in _order.Keys.Union(found.Keys))
        {
            HashSet<string> folders = found.GetValueOrDefault(parent, []);
            HashSet<string> declared = [.. _order.GetValueOrDefault(parent, [])];
            foreach (string name in folders.Except(declared))
            {
                yield return $"{parent}/{name} is not declared";
            }

            foreach (string name in declared.Except(folders))
            {
                yield return $"{parent}/{name} does not exist";
            }
        }
    }

    /// <summary>Uses against the declared order.</summary>
    /// <param name="uses">All uses.</param>
    public IEnumerable<string> Violations(IEnumerable<FolderUse> uses) => uses
        .Select(use => (Use: use, Meeting: Meet(use)))
        .Where(entry => !IsOpen(entry.Meeting) && IsAgainst(entry.Meeting))
        .Select(entry => $"{entry.Use.From} uses {entry.Use.To}: {entry.Use.Example}").Distinct();

    /// <summary>Parents whose own files are declared open although they stand in one place of the order.</summary>
    /// <param name="uses">All uses.</param>
    public IEnumerable<string> NeedlesslyOpen(IReadOnlyList<FolderUse> uses) =>
        _open.Where(parent => !uses.Select(Meet).Any(meeting => meeting.Parent == parent && IsOpen(meeting) && IsAgainst(meeting)));

    private bool IsOpen((string Parent, string From, string To) meeting) =>
        _open.Contains(meeting.Parent) && (meeting.From == Own || meeting.To == Own);

    private bool IsAgainst((string Parent, string From, string To) meeting)
    {
        string[] order = _order.GetValueOrDefault(meeting.Parent, []);
        return Array.IndexOf(order, meeting.To) > Array.IndexOf(order, meeting.From);
    }

    /// <summary>The folder in which both lie, and what of it each of them lies in.</summary>
    private static (string Parent, string From, string To) Meet(FolderUse use)
    {
        string[] from = Split(use.From), to = Split(use.To);
        int common = from.Zip(to).TakeWhile(pair => pair.First == pair.Second).Count();
        return (
            string.Join('/', from[..common]), from.ElementAtOrDefault(common) ?? Own,
            to.ElementAtOrDefault(common) ?? Own);
    }

    private static string[] Split(string folder) => folder.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static string Parent(string folder) => string.Join('/', Split(folder)[..^1]);

    private static string Name(string folder) => Split(folder)[^1];
}
