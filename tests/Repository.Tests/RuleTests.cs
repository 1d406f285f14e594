using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Failover.Repository.Tests;

/// <summary>Rules about the repository itself.</summary>
public partial class RuleTests
{
    private static readonly string[] Deployed = ["ItemApi", "ReplicationAudit", "HealthCheck", "ItemRecord", "ControlPlane", "Hosting"];

    public static TheoryData<string> Projects => [.. Repo.Files(".", ".csproj")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_project_is_in_the_solution_and_has_a_lock_file(string project)
    {
        Assert.Contains(project.Replace('/', '\\'), Repo.Read("Serverless.sln"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Repo.Root, Path.GetDirectoryName(project)!, "packages.lock.json")), $"{project} has no packages.lock.json");
    }

    [Theory]
    [InlineData("ItemApi")]
    [InlineData("ReplicationAudit")]
    [InlineData("HealthCheck")]
    public void A_function_has_the_same_cast_as_the_others(string function)
    {
        foreach (var file in new[] { "Program.cs", $"{function}Options.cs", "Log.cs", "JsonContext.cs" })
        {
            Assert.True(File.Exists(Path.Combine(Repo.Root, "functions", function, file)), $"functions/{function}/{file}");
        }
    }

    [Fact]
    public void Functions_carry_no_test_hook_and_no_local_branch()
    {
        foreach (var file in Deployed.SelectMany(project => Repo.Files($"functions/{project}", ".cs")))
        {
            Assert.DoesNotMatch(LocalBranch(), Repo.Read(file));
        }
    }

    [Fact]
    public void Nothing_depends_on_LocalHost_but_tests()
    {
        foreach (var project in Repo.Files("functions", ".csproj"))
        {
            Assert.DoesNotContain("LocalHost.csproj", Repo.Read(project), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_decision_is_pure()
    {
        foreach (var file in Repo.Files("functions/HealthCheck/Decision", ".cs"))
        {
            Assert.DoesNotMatch(Impure(), Repo.Read(file));
        }
    }

    [Fact]
    public void Every_switched_package_has_a_version_and_a_stand_in_that_says_what_it_stands_for()
    {
        var versions = XDocument.Parse(Repo.Read("Directory.Packages.props")).Descendants("PackageVersion").ToDictionary(item => (string)item.Attribute("Include")!, item => (string)item.Attribute("Version")!);
        var switched = Repo.Files("functions", ".csproj").SelectMany(project => XDocument.Parse(Repo.Read(project)).Descendants("SwitchedPackage")).Select(item => (string)item.Attribute("Include")!).Distinct().ToList();

        Assert.NotEmpty(switched);
        foreach (var package in switched)
        {
            Assert.True(versions.ContainsKey(package), $"{package} has no version in Directory.Packages.props");
            var head = Repo.Read($"functions/StandIns/{package}/{package}.csproj");
            Assert.Contains($"Stands for: {package} ", head, StringComparison.Ordinal);
            Assert.Contains("Leaves out: ", head, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Event_ids_are_unique_within_a_function()
    {
        foreach (var file in Repo.Files("functions", "Log.cs"))
        {
            var ids = EventId().Matches(Repo.Read(file)).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(ids);
            Assert.Equal(ids.Distinct(), ids);
        }
    }

    [Fact]
    public void Lock_files_name_no_package_source()
    {
        foreach (var file in Repo.Files(".", ".lock.json", "package-lock.json"))
        {
            Assert.DoesNotContain("://", Repo.Read(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        foreach (var document in Repo.Files(".", ".md"))
        {
            foreach (var target in Link().Matches(Repo.Read(document)).Select(match => match.Groups[1].Value).Where(target => !target.Contains("://", StringComparison.Ordinal)))
            {
                Assert.True(Path.Exists(Path.Combine(Repo.Root, Path.GetDirectoryName(document)!, target)), $"{document} links to {target}");
            }
        }
    }

    [Fact]
    public void The_readme_begins_with_commands_that_exist()
    {
        var readme = Repo.Read("README.md");

        Assert.Contains("\ndotnet run --project functions/LocalHost\n", readme, StringComparison.Ordinal);
        Assert.Contains("\ndotnet test\n", readme, StringComparison.Ordinal);
        foreach (var project in RunProject().Matches(readme).Select(match => match.Groups[1].Value))
        {
            Assert.NotEmpty(Directory.GetFiles(Path.Combine(Repo.Root, project), "*.csproj"));
        }

        foreach (var folder in Folder().Matches(readme).Select(match => match.Groups[1].Value))
        {
            Assert.True(Directory.Exists(Path.Combine(Repo.Root, folder)), folder);
        }
    }

    [Fact]
    public void The_page_on_one_tick_tells_the_defaults_that_the_code_has()
    {
        var timing = Repo.Read("functions/ControlPlane/Topologies/Topology.cs");
        var page = Repo.Read("docs/what-happens-in-one-tick.md");
        foreach (var (name, sentence) in new[]
        {
            ("IntervalSeconds", "{0} seconds long by default"), ("DownAfterTicks", "`Down` after {0} failed ticks"),
            ("UpAfterTicks", "`Up` after {0} successes"), ("LostAfterTicks", "or after {0} whatever the diagnosis"),
        })
        {
            var value = Regex.Match(timing, $@"int {name} = (\d+)").Groups[1].Value;
            Assert.Contains(string.Format(System.Globalization.CultureInfo.InvariantCulture, sentence, value), page, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"LocalHost|127\.0\.0\.1|^\s*#if\b", RegexOptions.Multiline)]
    private static partial Regex LocalBranch();

    [GeneratedRegex(@"using (Amazon|Microsoft\.Extensions)|\bTimeProvider\b|\bILogger\b|\bHttpClient\b|\bTask\b|\basync\b")]
    private static partial Regex Impure();

    [GeneratedRegex(@"\[LoggerMessage\((\d+),")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\]\(([^)#\s]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"--project (\S+)")]
    private static partial Regex RunProject();

    [GeneratedRegex(@"^\| `((?:functions|tests|docs)[^`]*)`", RegexOptions.Multiline)]
    private static partial Regex Folder();
}
