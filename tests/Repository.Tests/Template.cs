using YamlDotNet.RepresentationModel;

namespace Failover.Repository.Tests;

/// <summary>template.yaml.</summary>
internal static class Template
{
    public static readonly YamlMappingNode Root = Load();

    /// <summary>All of a type.</summary>
    public static IEnumerable<(string Name, YamlMappingNode Resource)> Resources(string type) =>
        Map(Root, "Resources").Children
            .Select(pair => (Name: ((YamlScalarNode)pair.Key).Value!, Resource: (YamlMappingNode)pair.Value))
            .Where(resource => Text(resource.Resource, "Type") == type);

    public static YamlMappingNode Map(YamlMappingNode node, string key) => (YamlMappingNode)node.Children[key];

    public static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node.Children[key]).Value!;

    /// <summary>One text, or several.</summary>
    public static IEnumerable<string> Texts(YamlMappingNode node, string key) =>
        node.Children[key] is YamlSequenceNode several ? several.Select(one => ((YamlScalarNode)one).Value!) : [Text(node, key)];

    private static YamlMappingNode Load()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Repo.Read("template.yaml")));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }
}
