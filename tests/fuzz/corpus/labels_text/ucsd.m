TestVideoFile = {};
TestVideoFile{end+1}.gt_frame = [61:180];
TestVideoFile{end+1}.gt_frame = [1:2, 5 7:9]; % c
TestVideoFile{end+1}.gt_frame = [];
